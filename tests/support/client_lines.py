# SPDX-License-Identifier: Apache-2.0
"""What a client program says of its messages: ACK queue offset body, GOT body, REFUSED reason; and when it said so."""
import time

from acknowledged import Acknowledged


def silence_ms(times, since):
    """Longest silence in these moments that ended after `since`; None: there is none."""
    return max((1000 * (b - a) for a, b in zip(times, times[1:]) if b > since), default=None)


class ClientLines:
    """Filled by one thread, read by another."""

    def __init__(self):
        self.acked = Acknowledged()
        self.times, self.got_times = [], []  # of what was acknowledged, of what came
        self.got, self.refusals = set(), []

    def read(self, stream):
        """To its end. Throws ValueError for a line of a known kind that is none."""
        for line in stream:
            word, _, rest = line.rstrip("\n").partition(" ")
            if word == "ACK":
                queue, offset, body = rest.split(" ", 2)
                self.acked[(int(queue), int(offset))] = body
                self.times.append(time.monotonic())
            elif word == "GOT":
                self.got.add(rest)
                self.got_times.append(time.monotonic())
            elif word == "REFUSED":
                self.refusals.append(rest)

    def more(self, count, consumes=True):
        """A condition: from now on that many messages were acknowledged, and one more has come."""
        goal, got = len(self.times) + count, len(self.got_times)
        return lambda: len(self.times) >= goal and (not consumes or len(self.got_times) > got)

    def gap_text(self, since):
        gaps = (("sending", silence_ms(list(self.times), since)), ("receiving", silence_ms(list(self.got_times), since)))
        return ", ".join(f"{what} {gap:.0f} ms" for what, gap in gaps if gap is not None)
