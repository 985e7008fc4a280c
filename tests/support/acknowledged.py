# SPDX-License-Identifier: Apache-2.0
"""What a broker has acknowledged. A message that the next leader lacks shows itself twice: it is missing, and its
offset is given to another one; the latter, in a plain dictionary, would hide the former."""


class Acknowledged(dict):
    """(queue, offset) -> body. What was said first stays; whatever else was acknowledged for the same place is in `twice`."""

    def __init__(self, *parts):
        super().__init__()
        self.twice = []  # (queue, offset), first body, later body
        for part in parts:
            self.update(part)

    def __setitem__(self, place, body):
        if place in self:
            self.twice.append((place, self[place], body))
        else:
            super().__setitem__(place, body)

    def update(self, other):
        self.twice += other.twice
        for place, body in dict(other).items():  # a copy in one step: other threads may add to it
            self[place] = body

    def encoded(self):
        """The same with bodies as bytes."""
        result = Acknowledged()
        result.twice += self.twice
        for place, body in dict(self).items():
            result[place] = body.encode()
        return result

    def assert_no_place_twice(self):
        assert not self.twice, (f"{len(self.twice)} places were acknowledged for two messages each, so that one of the two is lost: "
                                f"{[(place, first[:40], later[:40]) for place, first, later in self.twice[:3]]}")
