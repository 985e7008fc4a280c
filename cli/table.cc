// SPDX-License-Identifier: Apache-2.0
#include "cli/table.h"

#include <algorithm>

#include "cli/text.h"

namespace gantry::cli {
namespace {

constexpr std::size_t kGap = 2;

void append_cell(std::string& line, std::string_view cell, std::size_t width, Table::Align align) {
  const std::size_t used = display_width(cell);
  const std::size_t pad = width > used ? width - used : 0;
  if (align == Table::Align::kRight) line.append(pad, ' ');
  line += cell;
  if (align == Table::Align::kLeft) line.append(pad, ' ');
}

void trim_end(std::string& line) {
  while (line.ends_with(' ')) line.pop_back();
}

}  // namespace

Table::Table(std::vector<Column> columns) : columns_(std::move(columns)) {}

void Table::add(std::vector<std::string> row) {
  row.resize(columns_.size());
  for (std::string& cell : row) cell = printable(cell);
  rows_.push_back(std::move(row));
}

std::string Table::text() const {
  std::vector<std::size_t> widths;
  for (std::size_t i = 0; i < columns_.size(); ++i) {
    std::size_t width = display_width(columns_[i].title);
    for (const auto& row : rows_) width = std::max(width, display_width(row[i]));
    widths.push_back(width);
  }
  std::string out;
  std::string line;
  const auto finish_line = [&] {
    trim_end(line);
    out += line;
    out += '\n';
    line.clear();
  };
  for (std::size_t i = 0; i < columns_.size(); ++i) {
    if (i > 0) line.append(kGap, ' ');
    append_cell(line, columns_[i].title, widths[i], columns_[i].align);
  }
  finish_line();
  for (const auto& row : rows_) {
    for (std::size_t i = 0; i < columns_.size(); ++i) {
      if (i > 0) line.append(kGap, ' ');
      append_cell(line, row[i], widths[i], columns_[i].align);
    }
    finish_line();
  }
  return out;
}

void Fields::add(std::string name, std::string value) {
  fields_.emplace_back(std::move(name), printable(value));
}

std::string Fields::text() const {
  std::size_t width = 0;
  for (const auto& [name, value] : fields_) width = std::max(width, display_width(name));
  std::string out;
  for (const auto& [name, value] : fields_) {
    std::string line = name + ':';
    line.append(width - display_width(name) + kGap, ' ');
    line += value;
    trim_end(line);
    out += line + '\n';
  }
  return out;
}

}  // namespace gantry::cli
