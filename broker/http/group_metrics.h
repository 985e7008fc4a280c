// SPDX-License-Identifier: Apache-2.0
// Metrics of the replicated log and of the broker set, as this member sees them. Shard only.
#pragma once

#include "broker/http/broker_metrics.h"

namespace gantry::broker {

void collect_group_metrics(const MetricSources& sources, metrics::Sink& sink);

}  // namespace gantry::broker
