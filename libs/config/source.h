// SPDX-License-Identifier: Apache-2.0
// Configuration files as flat lists of (key, value, line). Two syntaxes: YAML (`.yaml`, `.yml`) and
// the properties files of Java (every other name, e.g. RocketMQ's `broker.conf`).
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"

namespace gantry::config {

struct Entry {
  std::string key;
  std::string value;
  int line = 0;  // 1-based line where the key stands; 0 = not from a file
};

// Syntax of java.util.Properties.load: `=`, `:` or blanks end the key, `#` and `!` start comment
// lines, a trailing backslash continues the line, \t \n \r \f and \uXXXX are escapes. Text is read
// as UTF-8. Of a repeated key the last value counts. Errors: a malformed \uXXXX, with its line.
Result<std::vector<Entry>> parse_properties(std::string_view text);

// Writes one `key=value` line so that parse_properties (and Java) reads the same text back.
void append_property(std::string& out, std::string_view key, std::string_view value);

// A YAML mapping of keys to scalars; a sequence of scalars becomes one text with `;` between them.
// Errors: bad syntax, nesting, a repeated key — each with its line.
Result<std::vector<Entry>> parse_yaml(std::string_view text);

enum class Syntax { kProperties, kYaml };

// By the name of the file.
Syntax syntax_of(std::string_view path);

// `text` with `key` set to `value`; comments, order and all other keys stay as they are. For
// writing changes at run time back to the file. Error kUnsupported if the layout of the file does
// not allow it (e.g. YAML with all keys on one line).
Result<std::string> set_value(std::string_view text, Syntax syntax, std::string_view key,
                              std::string_view value);

// Reads the file; error messages begin with `path` (and `:line` where known). Files over 1 MiB are
// refused.
Result<std::vector<Entry>> load_entries(const std::string& path);

}  // namespace gantry::config
