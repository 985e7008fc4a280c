# SPDX-License-Identifier: Apache-2.0
"""Frames and headers: what every request code has in common."""

import json
import socket
import struct

from wire import remoting
from wire.framework import check, equal, send_ext, test, unique, wait_records


@test("codec.binary-header-answered-in-json")
def binary_header(context):
    with context.to_namesrv() as names:
        names.send_bytes(remoting.encode_binary(105, {"topic": "TBW102"}, opaque=77))
        frame = names.read_frame()
        equal(frame.header_type, 0, "header type of the answer")
        equal((frame.code, frame.header["opaque"]), (0, 77), "code and opaque")
        check(json.loads(frame.body)["brokerDatas"], "route body", frame.body)


@test("codec.binary-header-to-broker")
def binary_header_broker(context):
    topic = context.topic()
    with context.to_broker() as broker:
        broker.send_bytes(remoting.encode_binary(310, send_ext(topic), b"binary", opaque=5))
        frame = broker.read_frame()
        equal((frame.header_type, frame.code, frame.header["opaque"]), (0, 0, 5), "answer")
        equal(wait_records(broker, topic, 1)[0]["body"], b"binary", "stored body")


@test("codec.numbers-and-booleans-in-request-fields")
def native_json_fields(context):
    """The C++ client sends numeric fields as JSON numbers and ends the header with a newline."""
    topic = context.topic()
    ext = send_ext(topic)
    for key in ("d", "e", "f", "g", "h", "j"):
        ext[key] = int(ext[key])
    ext["k"] = False
    header = {"code": 310, "extFields": ext, "flag": 0, "language": "CPP", "opaque": 9,
              "version": 333}
    with context.to_broker() as broker:
        text = json.dumps(header).encode() + b"\n"
        broker.send_bytes(remoting.encode_json(0, body=b"native", raw=text))
        frame = broker.answer_to(9)
        equal(frame.code, 0, f"send ({frame.remark})")
        for key, value in frame.ext.items():
            check(isinstance(value, str), f"answer field {key} is no string", value)
        record = wait_records(broker, topic, 1)[0]
        equal(record["body"], b"native", "stored body")


@test("codec.answer-header-shape")
def answer_shape(context):
    topic = context.topic()
    with context.to_broker() as broker:
        answer = broker.call(310, send_ext(topic), b"x")
        header = answer.header
        equal(header["flag"] & 1, 1, "response bit")
        check(isinstance(header["language"], str), "language is a name", header)
        check(isinstance(header["version"], int) and header["version"] >= 233, "version", header)
        equal(set(answer.ext) >= {"msgId", "queueId", "queueOffset", "MSG_REGION", "TRACE_ON"},
              True, f"fields of a send answer {sorted(answer.ext)}")
        equal((answer.ext["MSG_REGION"], answer.ext["TRACE_ON"]), ("DefaultRegion", "true"),
              "region and trace")
        equal(len(answer.ext["msgId"]), 32, "length of msgId")


@test("codec.pipelined-requests")
def pipelined(context):
    topic = context.topic(queues=1)
    with context.to_broker() as broker:
        frames = [remoting.encode_json(310, send_ext(topic), b"%d" % i, opaque=1000 + i)
                  for i in range(50)]
        broker.send_bytes(b"".join(frames))
        answers = {}
        while len(answers) < 50:
            frame = broker.read_frame()
            check(frame is not None, "answers missing", sorted(answers))
            answers[frame.header["opaque"]] = frame
        equal(sorted(answers), list(range(1000, 1050)), "opaques")
        equal({f.code for f in answers.values()}, {0}, "codes")
        offsets = sorted(int(f.ext["queueOffset"]) for f in answers.values())
        equal(offsets, list(range(50)), "queue offsets")


@test("codec.frame-in-small-pieces")
def pieces(context):
    with context.to_namesrv() as names:
        names.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        for byte in remoting.encode_json(105, {"topic": "TBW102"}, opaque=3):
            names.send_bytes(bytes([byte]))
        equal(names.answer_to(3).code, 0, "answer")


@test("codec.unknown-code-answered-3")
def unknown_code(context):
    for connection, where in ((context.to_namesrv(), "NameServer"),
                              (context.to_broker(), "broker")):
        with connection:
            for code in (9999, 50, 13):
                answer = connection.call(code, {})
                equal(answer.code, 3, f"{where}, code {code}")
                equal(answer.remark, f" request type {code} not supported", "remark")
            equal(connection.call(105 if where == "NameServer" else 31,
                                  {"topic": "TBW102", "queueId": "0"}).code, 0, "still usable")


@test("codec.missing-fields-answered")
def missing_ext(context):
    """A request that needs fields but has none is answered, not dropped; the connection lives."""
    with context.to_broker() as broker:
        for code in (310, 11, 14, 29, 30, 36):
            equal(broker.call(code).code, 1, f"broker code {code} without extFields")
            equal(broker.call(code, {}).code, 1, f"broker code {code} with empty extFields")
        equal(broker.call(30, {"topic": "TBW102", "queueId": "0"}).code, 0, "still usable")
    with context.to_namesrv() as names:
        check(names.call(105).code in (1, 17), "NameServer 105 without extFields")
        equal(names.call(105, {"topic": "TBW102"}).code, 0, "still usable")


@test("codec.oneway-never-answered")
def oneway(context):
    topic = context.topic()
    with context.to_broker() as broker:
        broker.request(310, send_ext(topic), b"one-way", flag=remoting.ONEWAY)
        broker.request(9999, {}, flag=remoting.ONEWAY)
        broker.request(310, send_ext("bad topic!"), b"x", flag=remoting.ONEWAY)
        answer = broker.call(31, {"topic": topic, "queueId": "0"})
        equal(answer.code, 0, "next request")
        equal(wait_records(broker, topic, 1)[0]["body"], b"one-way", "stored one-way message")
        equal(broker.pushes, [], "frames besides the awaited answers")


@test("codec.oversized-frame-closes")
def oversized(context):
    with context.to_broker() as broker:
        try:
            broker.send_bytes(struct.pack(">ii", 64 << 20, 10) + b"{}" * 100)
            frame = broker.read_frame()
            check(False, "expected a closed connection", frame)
        except (EOFError, ConnectionError):
            pass


@test("codec.garbage-closes-only-its-connection")
def garbage(context):
    with context.to_broker() as other:
        with context.to_broker() as broker:
            try:
                broker.send_bytes(struct.pack(">ii", 20, 16) + b"not json at all!")
                check(broker.read_frame(5) is None, "no answer to garbage")
            except (EOFError, ConnectionError):
                pass
        equal(other.call(30, {"topic": "TBW102", "queueId": "0"}).code, 0, "other connection")


@test("codec.fast-port")
def fast_port(context):
    """listenPort - 2 answers sends; pulls are not registered there."""
    topic = context.topic()
    host, port = context.broker.split(":")
    with remoting.Connection(f"{host}:{int(port) - 2}") as fast:
        equal(fast.call(310, send_ext(topic), b"fast").code, 0, "send through the fast port")
        answer = fast.call(11, {"consumerGroup": unique("g"), "topic": topic, "queueId": "0",
                                "queueOffset": "0", "maxMsgNums": "1", "sysFlag": "4",
                                "commitOffset": "0", "suspendTimeoutMillis": "0",
                                "subVersion": "0", "subscription": "*"})
        equal(answer.code, 3, "pull through the fast port")
