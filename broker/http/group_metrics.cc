// SPDX-License-Identifier: Apache-2.0
#include "broker/http/group_metrics.h"

#include "broker/group/group_peers.h"
#include "broker/group/leader_gate.h"
#include "broker/group/state_comparison.h"

namespace gantry::broker {
namespace {

using metrics::MetricSpec;
using metrics::MetricType;
using metrics::Sink;

double number(LogPosition position) { return static_cast<double>(position.v); }

void histogram(Sink& sink, const MetricSpec& spec, const replog::Durations& durations) {
  metrics::HistogramSnapshot snapshot;
  snapshot.counts.assign(durations.counts.begin(), durations.counts.end());
  snapshot.sum = static_cast<double>(durations.sum_us) / 1e6;
  sink.histogram(spec, {}, std::move(snapshot));
}

void collect_log(const Storage& storage, const replog::Log& log, Sink& sink) {
  static constexpr MetricSpec kBegin{.name = "gantry_log_begin_position",
                                     .help = "Where the log begins"};
  static constexpr MetricSpec kWritten{.name = "gantry_log_written_position",
                                       .help = "End of the log in the page cache"};
  static constexpr MetricSpec kDurable{.name = "gantry_log_durable_position",
                                       .help = "End of the log on disk"};
  static constexpr MetricSpec kCommit{.name = "gantry_log_commit_position",
                                      .help = "Commit position of the log"};
  static constexpr MetricSpec kApplied{.name = "gantry_log_applied_position",
                                       .help = "Everything below is applied and visible"};
  static constexpr MetricSpec kSyncSeconds{.name = "gantry_log_sync_seconds",
                                           .type = MetricType::kHistogram,
                                           .help = "Duration of syncs of the log",
                                           .buckets = replog::Durations::kBounds};
  static constexpr MetricSpec kCommitSeconds{
      .name = "gantry_log_commit_seconds",
      .type = MetricType::kHistogram,
      .help = "From the append on the leader until it is committed and visible there",
      .buckets = replog::Durations::kBounds};
  sink.sample(kBegin, {}, number(log.begin()));
  sink.sample(kWritten, {}, number(log.written()));
  sink.sample(kDurable, {}, number(log.durable()));
  sink.sample(kCommit, {}, number(log.committed()));
  sink.sample(kApplied, {}, number(storage.state().applied()));
  histogram(sink, kSyncSeconds, log.stats().syncs);
  histogram(sink, kCommitSeconds, log.stats().commits);
}

void collect_raft(const replog::Replica& replica, Sink& sink) {
  static constexpr MetricSpec kTerm{.name = "gantry_raft_term", .help = "Current Raft term"};
  static constexpr MetricSpec kLeader{.name = "gantry_raft_is_leader",
                                      .help = "1 on the member that leads its broker set"};
  static constexpr MetricSpec kHasLeader{.name = "gantry_raft_has_leader",
                                         .help = "1 while this member knows a leader"};
  static constexpr MetricSpec kRecovering{
      .name = "gantry_raft_recovering",
      .help = "1 while this member catches up and its vote does not count alone"};
  static constexpr MetricSpec kMembers{.name = "gantry_raft_members",
                                       .help = "Members of the broker set"};
  static constexpr MetricSpec kElections{.name = "gantry_raft_elections_total",
                                         .type = MetricType::kCounter,
                                         .help = "Elections that this member has stood in"};
  static constexpr MetricSpec kChanges{.name = "gantry_raft_leader_changes_total",
                                       .type = MetricType::kCounter,
                                       .help = "Changes to another leader seen by this member"};
  static constexpr MetricSpec kMatch{.name = "gantry_raft_match_position",
                                     .help = "Written position of a member, known to the leader"};
  static constexpr MetricSpec kLag{.name = "gantry_raft_lag_bytes",
                                   .help = "How far a member is behind the leader's end"};
  const raft::Core& core = replica.core();
  sink.sample(kTerm, {}, static_cast<double>(core.term().v));
  sink.sample(kLeader, {}, replica.leading() ? 1 : 0);
  sink.sample(kHasLeader, {}, core.leader().empty() ? 0 : 1);
  sink.sample(kRecovering, {}, core.recovering() ? 1 : 0);
  const auto voters = core.membership().voter_count();
  sink.sample(kMembers, {{"kind", "voter"}}, static_cast<double>(voters));
  sink.sample(kMembers, {{"kind", "learner"}},
              static_cast<double>(core.membership().members.size() - voters));
  sink.sample(kElections, {}, static_cast<double>(replica.stats().elections));
  sink.sample(kChanges, {}, static_cast<double>(replica.stats().leader_changes));
  if (!core.leading()) return;
  for (const auto& [id, progress] : core.progress()) {
    sink.sample(kMatch, {{"member", id}}, number(progress.written()));
    sink.sample(kLag, {{"member", id}}, static_cast<double>(core.end() - progress.written()));
  }
}

void collect_peers(const GroupPeers& peers, const LeaderGate& gate, Sink& sink) {
  static constexpr MetricSpec kConnected{.name = "gantry_peer_connected_members",
                                         .help = "Members and candidates connected with this one"};
  static constexpr MetricSpec kBytes{.name = "gantry_peer_bytes_total",
                                     .type = MetricType::kCounter,
                                     .help = "Bytes between members"};
  static constexpr MetricSpec kDropped{
      .name = "gantry_peer_dropped_messages_total",
      .type = MetricType::kCounter,
      .help = "Messages to members without a connection or with a full one; Raft repeats itself"};
  static constexpr MetricSpec kReconnects{.name = "gantry_peer_reconnects_total",
                                          .type = MetricType::kCounter,
                                          .help = "Connections to members that were made again"};
  static constexpr MetricSpec kRefused{.name = "gantry_peer_refused_total",
                                       .type = MetricType::kCounter,
                                       .help = "Peers that do not belong to this broker set"};
  static constexpr MetricSpec kStale{
      .name = "gantry_stale_route_requests_total",
      .type = MetricType::kCounter,
      .help = "Requests for the leader that reached another member, by what became of them"};
  static constexpr MetricSpec kWaiting{
      .name = "gantry_stale_route_waiting",
      .help = "Requests that wait until the next leader may decide"};
  const peer::TransportStats stats = peers.stats();
  sink.sample(kConnected, {}, static_cast<double>(stats.connected_peers));
  sink.sample(kBytes, {{"direction", "in"}}, static_cast<double>(stats.bytes_in));
  sink.sample(kBytes, {{"direction", "out"}}, static_cast<double>(stats.bytes_out));
  sink.sample(kDropped, {}, static_cast<double>(stats.dropped_messages));
  sink.sample(kReconnects, {}, static_cast<double>(stats.reconnects));
  sink.sample(kRefused, {}, static_cast<double>(stats.refused));
  sink.sample(kStale, {{"outcome", "forwarded"}}, static_cast<double>(gate.stats().forwarded));
  sink.sample(kStale, {{"outcome", "refused"}}, static_cast<double>(gate.stats().refused));
  sink.sample(kWaiting, {}, static_cast<double>(gate.waiting()));
}

void collect_state(const state::StateMachine& state, const StateComparison& comparison,
                   Sink& sink) {
  static constexpr MetricSpec kLevel{.name = "gantry_state_feature_level",
                                     .help = "Feature level of the broker set"};
  static constexpr MetricSpec kComparisons{
      .name = "gantry_state_comparisons_total",
      .type = MetricType::kCounter,
      .help = "Comparisons of this member's replicated state with the leader's"};
  static constexpr MetricSpec kDifferences{
      .name = "gantry_state_differences_total",
      .type = MetricType::kCounter,
      .help = "Comparisons that found this member's replicated state to differ"};
  sink.sample(kLevel, {}, static_cast<double>(state.feature_level()));
  sink.sample(kComparisons, {}, static_cast<double>(comparison.comparisons()));
  sink.sample(kDifferences, {}, static_cast<double>(comparison.differences()));
}

}  // namespace

void collect_group_metrics(const MetricSources& sources, Sink& sink) {
  Storage& storage = sources.context.storage;
  collect_log(storage, storage.log(), sink);
  collect_raft(storage.replica(), sink);
  collect_peers(sources.peers, sources.gate, sink);
  collect_state(storage.state(), sources.comparison, sink);
}

}  // namespace gantry::broker
