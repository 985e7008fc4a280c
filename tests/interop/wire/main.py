# SPDX-License-Identifier: Apache-2.0
"""The raw wire tests as one program."""

import sys

from wire import admin_tests, codec_tests, consume_tests, framework, send_tests, transaction_tests  # noqa: F401

if __name__ == "__main__":
    sys.exit(framework.run_all(sys.argv[1:]))
