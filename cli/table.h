// SPDX-License-Identifier: Apache-2.0
// Aligned columns for people.
#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace gantry::cli {

class Table {
 public:
  enum class Align : unsigned char { kLeft, kRight };
  struct Column {
    std::string title;
    Align align = Align::kLeft;
  };

  explicit Table(std::vector<Column> columns);
  // Missing cells at the end are empty. Cells may hold any bytes.
  void add(std::vector<std::string> row);
  std::size_t rows() const { return rows_.size(); }
  // Title line and rows, each ending with a newline; no spaces at the ends of lines.
  std::string text() const;

 private:
  std::vector<Column> columns_;
  std::vector<std::vector<std::string>> rows_;
};

// "Name:   value" lines, values aligned.
class Fields {
 public:
  void add(std::string name, std::string value);
  std::string text() const;

 private:
  std::vector<std::pair<std::string, std::string>> fields_;
};

}  // namespace gantry::cli
