# SPDX-License-Identifier: Apache-2.0
"""A minimal remoting client on a raw socket: frames, JSON and binary headers, stored records.

It shares no code with any RocketMQ client or with the server under test, so it can show what
really travels on the wire.
"""

import json
import socket
import struct
import time

RESPONSE = 1
ONEWAY = 2


class Frame:
    """One decoded frame. `header_type` is 0 for JSON and 1 for the binary header."""

    def __init__(self, header_type, header, body):
        self.header_type = header_type
        self.header = header
        self.body = body

    @property
    def code(self):
        return self.header.get("code")

    @property
    def remark(self):
        return self.header.get("remark") or ""

    @property
    def ext(self):
        return self.header.get("extFields") or {}

    @property
    def is_response(self):
        return bool(self.header.get("flag", 0) & RESPONSE)

    def __repr__(self):
        return f"Frame({self.header!r}, body={len(self.body)} bytes)"


def encode_json(code, ext=None, body=b"", opaque=0, flag=0, version=493, language="JAVA", raw=None):
    """A request frame with a JSON header. `raw` replaces the whole header object."""
    header = raw
    if header is None:
        header = {"code": code, "flag": flag, "language": language, "opaque": opaque,
                  "serializeTypeCurrentRPC": "JSON", "version": version}
        if ext is not None:
            header["extFields"] = ext
    text = header if isinstance(header, bytes) else json.dumps(header).encode()
    return struct.pack(">ii", 4 + len(text) + len(body), len(text)) + text + body


def encode_binary(code, ext=None, body=b"", opaque=0, flag=0, version=493, language=0):
    """A request frame with a ROCKETMQ (binary) header."""
    block = b""
    for key, value in (ext or {}).items():
        k, v = key.encode(), str(value).encode()
        block += struct.pack(">h", len(k)) + k + struct.pack(">i", len(v)) + v
    text = struct.pack(">hbhiii", code, language, version, opaque, flag, 0)
    text += struct.pack(">i", len(block)) + block
    return struct.pack(">ii", 4 + len(text) + len(body), (1 << 24) | len(text)) + text + body


class Connection:
    """A connection to one server. Not safe for several threads."""

    def __init__(self, address, timeout=10.0):
        host, port = address.rsplit(":", 1)
        self.socket = socket.create_connection((host, int(port)), timeout)
        self.timeout = timeout
        self.opaque = 0
        self.buffer = b""
        self.pushes = []

    def __enter__(self):
        return self

    def __exit__(self, *unused):
        self.close()

    def close(self):
        self.socket.close()

    def send_bytes(self, data):
        self.socket.sendall(data)

    def request(self, code, ext=None, body=b"", **options):
        """Sends a request and returns its opaque."""
        self.opaque += 1
        self.send_bytes(encode_json(code, ext, body, opaque=self.opaque, **options))
        return self.opaque

    def read_frame(self, timeout=None):
        """The next frame, or None when the time is over. Raises EOFError on a closed socket."""
        deadline = time.monotonic() + (self.timeout if timeout is None else timeout)
        size = self._fill(4, deadline)
        if size is None:
            return None
        total = struct.unpack(">i", self.buffer[:4])[0]
        if self._fill(4 + total, deadline) is None:
            return None
        data, self.buffer = self.buffer[4:4 + total], self.buffer[4 + total:]
        return decode(data)

    def _fill(self, count, deadline):
        while len(self.buffer) < count:
            left = deadline - time.monotonic()
            if left <= 0:
                return None
            self.socket.settimeout(left)
            try:
                chunk = self.socket.recv(1 << 20)
            except socket.timeout:
                return None
            if not chunk:
                raise EOFError("connection closed by the server")
            self.buffer += chunk
        return True

    def answer_to(self, opaque, timeout=None):
        """Reads until the answer to `opaque`; frames that the server pushes are kept in pushes."""
        deadline = time.monotonic() + (self.timeout if timeout is None else timeout)
        while True:
            frame = self.read_frame(deadline - time.monotonic())
            if frame is None:
                raise TimeoutError(f"no answer to request {opaque}")
            if frame.is_response and frame.header.get("opaque") == opaque:
                return frame
            self.pushes.append(frame)

    def call(self, code, ext=None, body=b"", timeout=None, **options):
        return self.answer_to(self.request(code, ext, body, **options), timeout)


def decode(data):
    """Decodes a frame without its length field."""
    word = struct.unpack(">I", data[:4])[0]
    header_type, length = word >> 24, word & 0xFFFFFF
    text, body = data[4:4 + length], data[4 + length:]
    if header_type == 0:
        return Frame(0, json.loads(text), body)
    code, language, version, opaque, flag, remark = struct.unpack(">hbhiii", text[:17])
    at = 17
    header = {"code": code, "language": language, "version": version, "opaque": opaque,
              "flag": flag, "remark": text[at:at + remark].decode(), "extFields": {}}
    at += remark + 4
    while at < len(text):
        size = struct.unpack(">h", text[at:at + 2])[0]
        key = text[at + 2:at + 2 + size].decode()
        at += 2 + size
        size = struct.unpack(">i", text[at:at + 4])[0]
        header["extFields"][key] = text[at + 4:at + 4 + size].decode()
        at += 4 + size
    return Frame(header_type, header, body)


class _Parser:
    """JSON as RocketMQ writes it: object keys may be bare integers or whole objects."""

    def __init__(self, text):
        self.text = text
        self.at = 0

    def skip(self):
        while self.at < len(self.text) and self.text[self.at] in " \t\r\n":
            self.at += 1

    def peek(self):
        self.skip()
        return self.text[self.at]

    def expect(self, char):
        if self.peek() != char:
            raise ValueError(f"expected {char!r} at {self.at} in {self.text!r}")
        self.at += 1

    def value(self):
        char = self.peek()
        if char == "{":
            return self.mapping()
        if char == "[":
            return self.sequence()
        result, self.at = json.JSONDecoder().raw_decode(self.text, self.at)
        return result

    def mapping(self):
        result = {}
        self.expect("{")
        while self.peek() != "}":
            key = self.value()
            if isinstance(key, dict):
                key = tuple(sorted(key.items()))
            self.expect(":")
            result[str(key) if isinstance(key, int) else key] = self.value()
            if self.peek() == ",":
                self.at += 1
        self.at += 1
        return result

    def sequence(self):
        result = []
        self.expect("[")
        while self.peek() != "]":
            result.append(self.value())
            if self.peek() == ",":
                self.at += 1
        self.at += 1
        return result


def lenient_json(data):
    """Parses a body. Map keys that are objects become sorted tuples of their members."""
    return _Parser(data.decode()).value()


def properties_text(properties):
    return "".join(f"{k}\x01{v}\x02" for k, v in properties.items())


def parse_properties(text):
    pairs = [item.split("\x01", 1) for item in text.split("\x02") if "\x01" in item]
    return dict(pairs)


def decode_records(data):
    """All stored records in a pull body, each as a dict of every stored field."""
    records, at = [], 0
    while at < len(data):
        record, size = decode_record(data[at:])
        records.append(record)
        at += size
    return records


def decode_record(data):
    (size, magic, crc, queue, flag, queue_offset, physical, sys_flag, born) = struct.unpack(
        ">iIiiiqqiq", data[:48])
    at = 48
    born_host, at = _host(data, at, 16 if sys_flag & 0x10 else 4)
    store_time = struct.unpack(">q", data[at:at + 8])[0]
    store_host, at = _host(data, at + 8, 16 if sys_flag & 0x20 else 4)
    reconsume, prepared, length = struct.unpack(">iqi", data[at:at + 16])
    at += 16
    body = data[at:at + length]
    at += length
    if magic == 0xDAA320AB:
        length = struct.unpack(">h", data[at:at + 2])[0]
        at += 2
    else:
        length = data[at]
        at += 1
    topic = data[at:at + length].decode()
    at += length
    length = struct.unpack(">h", data[at:at + 2])[0]
    properties = data[at + 2:at + 2 + length].decode()
    at += 2 + length
    if at != size:
        raise ValueError(f"record says {size} bytes but its fields end at {at}")
    return {"size": size, "magic": magic, "bodyCRC": crc, "queueId": queue, "flag": flag,
            "queueOffset": queue_offset, "physicalOffset": physical, "sysFlag": sys_flag,
            "bornTimestamp": born, "bornHost": born_host, "storeTimestamp": store_time,
            "storeHost": store_host, "reconsumeTimes": reconsume, "preparedOffset": prepared,
            "body": body, "topic": topic, "properties": parse_properties(properties),
            "propertiesText": properties}, size


def _host(data, at, size):
    raw = data[at:at + size]
    family = socket.AF_INET if size == 4 else socket.AF_INET6
    port = struct.unpack(">i", data[at + size:at + size + 4])[0]
    return f"{socket.inet_ntop(family, raw)}:{port}", at + size + 4


def java_hash(text):
    """String.hashCode of Java, over UTF-16 units."""
    units = text.encode("utf-16-be")
    value = 0
    for i in range(0, len(units), 2):
        value = (31 * value + units[i] * 256 + units[i + 1]) & 0xFFFFFFFF
    return value - (1 << 32) if value >= 1 << 31 else value
