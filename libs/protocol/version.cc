// SPDX-License-Identifier: Apache-2.0
#include "protocol/version.h"

#include <algorithm>
#include <iterator>

namespace gantry::protocol {
namespace {

struct Release {
  std::int32_t ordinal;
  const char* name;
};

// Ascending. Source: docs/protocol/remoting.md.
constexpr Release kReleases[] = {
    {28, "V3_0_7_SNAPSHOT"}, {37, "V3_0_11"},          {62, "V3_1_8_SNAPSHOT"}, {121, "V3_4_9"},
    {213, "V4_0_0"},         {232, "V4_1_0_SNAPSHOT"}, {233, "V4_1_0"},         {253, "V4_2_0"},
    {273, "V4_3_0"},         {293, "V4_4_0"},          {313, "V4_5_0"},         {315, "V4_5_1"},
    {317, "V4_5_2"},         {333, "V4_6_0"},          {353, "V4_7_0"},         {373, "V4_8_0"},
    {393, "V4_9_0"},         {399, "V4_9_3"},          {401, "V4_9_4"},         {407, "V4_9_7"},
    {409, "V4_9_8"},         {413, "V5_0_0"},          {433, "V5_1_0"},         {453, "V5_2_0"},
    {473, "V5_3_0"},         {475, "V5_3_1"},          {477, "V5_3_2"},         {479, "V5_3_3"},
    {481, "V5_3_4"},         {493, "V5_4_0"},          {513, "V5_5_0"}};

}  // namespace

std::string version_name(std::int32_t ordinal) {
  const auto* it = std::ranges::lower_bound(kReleases, ordinal, {}, &Release::ordinal);
  if (it != std::end(kReleases) && it->ordinal == ordinal) return it->name;
  return "V" + std::to_string(ordinal);
}

}  // namespace gantry::protocol
