// SPDX-License-Identifier: Apache-2.0
// Random messages that a member could send, from a seed.
#pragma once

#include <algorithm>
#include <cstdint>
#include <initializer_list>
#include <random>
#include <string>
#include <vector>

#include "peer/hello.h"
#include "raft/message.h"

namespace gantry::peer {

class Samples {
 public:
  explicit Samples(std::uint64_t seed) : random_(seed) {}

  raft::MemberId id() {
    std::string text;
    for (int i = 0; i < 32; ++i) text += "0123456789abcdef"[below(16)];
    return text;
  }

  raft::Membership membership() {
    raft::Membership result;
    const auto members = 1 + below(5);
    for (std::int32_t i = 1; i <= members; ++i) {
      result.put({id(), "host-" + std::to_string(below(1000)) + ":10912", i, i == 1 || flip()});
    }
    while (below(4) == 0) {
      result.recoveries.push_back({id(), {}});
      while (flip()) result.recoveries.back().given_up.push_back(id());
    }
    return result;
  }

  Hello hello() {
    Hello hello;
    hello.cluster = "cluster-" + std::to_string(below(10));
    hello.broker_name = "broker-" + std::to_string(below(10));
    hello.member_uuid = id();
    hello.address = "[::1]:" + std::to_string(1 + below(60000));
    hello.file_bytes = 1 + position();
    hello.feature_level = static_cast<std::uint32_t>(below(100));
    hello.start = static_cast<std::uint64_t>(position());
    hello.clock_ms = position();
    hello.process = random_();
    hello.snapshot_pieces = flip();
    hello.formed = flip();
    if (hello.formed) {
      hello.membership = membership();
      hello.given_up = flip();
    }
    return hello;
  }

  // `kind`: the index in Message::body. *body_bytes: how many bytes have to go beside it.
  raft::Message message(std::size_t kind, std::size_t* body_bytes) {
    *body_bytes = 0;
    raft::Message result;
    result.from = id();
    result.to = id();
    result.term = term();
    result.start = random_();
    switch (kind) {
      case 0:
        result.body = raft::VoteRequest{flip(), flip(), log_end(), log_end()};
        break;
      case 1:
        result.body = raft::VoteAnswer{flip(), flip(), flip(), log_end(), log_end()};
        break;
      case 2:
        result.body = append(body_bytes);
        break;
      case 3: {
        const auto p = falling<3>();
        result.body = raft::AppendAnswer{p[0], p[1], p[2], flip()};
        break;
      }
      case 4: {
        const auto p = falling<2>();
        result.body =
            raft::AppendRefusal{LogPosition(position()), p[0], p[1], epochs(0, p[0].v), flip()};
        break;
      }
      case 5: {
        const auto p = falling<3>();
        const auto m = falling<2>();
        raft::InstallSnapshot install{
            p[2], p[1], p[0], epochs(0, p[2].v), {m[1], m[0], membership()}, std::nullopt};
        if (flip()) {
          install.pieces = snapshot(install.position);
        } else {
          *body_bytes = static_cast<std::size_t>(below(1000));
        }
        result.body = std::move(install);
        break;
      }
      case 6:
        result.body = raft::InstallAnswer{LogPosition(position())};
        break;
      case 7:
        result.body = raft::TimeoutNow{};
        break;
      case 8:
        result.body = raft::StaleTerm{};
        break;
      case 9: {
        const raft::SnapshotId of = snapshot(LogPosition(position()));
        const std::int64_t offset = below(of.size);
        *body_bytes =
            static_cast<std::size_t>(1 + below(std::min<std::int64_t>(of.size - offset, 5000)));
        result.body = raft::SnapshotPiece{of, offset};
        break;
      }
      default: {
        const raft::SnapshotId of = snapshot(LogPosition(position()));
        result.body = raft::SnapshotAnswer{of, below(of.size + 1), flip()};
      }
    }
    return result;
  }

 private:
  std::int64_t below(std::int64_t bound) {
    return static_cast<std::int64_t>(random_() % static_cast<std::uint64_t>(bound));
  }
  bool flip() { return below(2) == 1; }
  // Small, large, zero.
  std::int64_t position() {
    const auto shift = static_cast<unsigned>(1 + below(63));
    return below(8) == 0 ? 0 : static_cast<std::int64_t>(random_() >> shift);
  }
  Term term() { return Term(position()); }
  raft::SnapshotId snapshot(LogPosition at) {
    const auto shift = static_cast<unsigned>(33 + below(30));
    return {at, 1 + static_cast<std::int64_t>((random_() & ~(1ULL << 63)) >> shift) / 2,
            static_cast<std::uint32_t>(random_())};
  }
  raft::LogEnd log_end() { return {term(), LogPosition(position())}; }

  template <std::size_t kCount>
  std::vector<LogPosition> falling() {
    std::vector<LogPosition> result(kCount);
    for (LogPosition& p : result) p = LogPosition(position());
    std::ranges::sort(result, std::greater<>());
    return result;
  }

  std::vector<raft::Epoch> epochs(std::int64_t from, std::int64_t to) {
    std::vector<raft::Epoch> result(static_cast<std::size_t>(below(4)));
    for (raft::Epoch& e : result) {
      const std::int64_t span = std::min<std::int64_t>(to - from, (std::int64_t{1} << 62) - 1);
      e = {term(), LogPosition(from + below(span + 1)), flip()};
    }
    std::ranges::sort(result, {}, &raft::Epoch::start);
    return result;
  }

  raft::Append append(std::size_t* body_bytes) {
    const auto p = falling<3>();
    raft::Append result;
    result.leader_end = p[0];
    result.to = p[1];
    result.from = flip() ? p[1] : p[2];
    result.term_before = term();
    result.commit = LogPosition(position());
    if (result.from < result.to) {
      result.epochs = epochs(result.from.v, result.to.v - 1);
      *body_bytes = static_cast<std::size_t>(
          1 + below(std::min<std::int64_t>(result.to - result.from, 5000)));
    }
    return result;
  }

  std::mt19937_64 random_;
};

}  // namespace gantry::peer
