// SPDX-License-Identifier: Apache-2.0
#include "cli/confirm.h"

#include <istream>
#include <ostream>
#include <string>

#include "cli/text.h"

namespace gantry::cli {

Outcome confirm(Context& context, bool yes, std::string_view question) {
  if (yes) return {};
  if (!context.env.in_is_tty) {
    return fail(ExitCode::kUsage, "this needs a confirmation, and nobody can be asked",
                "Give --yes when you are sure.");
  }
  context.env.err << printable(question) << " [y/N] " << std::flush;
  std::string answer;
  std::getline(context.env.in, answer);
  if (answer == "y" || answer == "Y" || answer == "yes") return {};
  return fail(ExitCode::kFailed, "not confirmed, nothing was changed");
}

}  // namespace gantry::cli
