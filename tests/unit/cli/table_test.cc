// SPDX-License-Identifier: Apache-2.0
#include "cli/table.h"

#include <gtest/gtest.h>

namespace gantry::cli {
namespace {

TEST(Table, AlignsColumns) {
  Table table({{"NAME"}, {"COUNT", Table::Align::kRight}, {"NOTE"}});
  table.add({"a", "1", "short"});
  table.add({"a longer name", "12345", ""});
  table.add({"ünï", "7"});
  EXPECT_EQ(table.text(),
            "NAME           COUNT  NOTE\n"
            "a                  1  short\n"
            "a longer name  12345\n"
            "ünï                7\n");
}

TEST(Table, WithoutRowsOnlyTitles) { EXPECT_EQ(Table({{"A"}, {"B"}}).text(), "A  B\n"); }

TEST(Table, CellsCannotSteerTheTerminal) {
  Table table({{"A"}});
  table.add({"x\x1b[2J\n"});
  EXPECT_EQ(table.text(), "A\nx\\x1B[2J\\x0A\n");
}

TEST(Fields, AlignsValues) {
  Fields fields;
  fields.add("Topic", "orders");
  fields.add("Messages stored", "5");
  fields.add("Empty", "");
  EXPECT_EQ(fields.text(),
            "Topic:            orders\n"
            "Messages stored:  5\n"
            "Empty:\n");
}

}  // namespace
}  // namespace gantry::cli
