"""A host at the other end of QEMU's cable: answers ARP and ping, pings who it hears, exchanges checked bulks with stations like
tests/guests/netclient, and writes down what cannot be. Frames are datagrams of a Unix socket (QEMU's netdev dgram)."""

import contextlib
import os
import select
import socket
import struct
import tempfile
import threading
import time

DATA, ACK, PORT, WORDS = 0x64617461, 0x61636B20, 7000, 368
PINGS, AGAIN = 5, 0.25
PACE = 0.002        # seconds between two frames: the controller has two buffers, and loses what finds both full
MAC = bytes.fromhex("525500000009")
EVERYBODY = b"\xff" * 6


def check_sum(data):
    """RFC 1071; 0 over what has a right one in it."""
    total = sum(struct.unpack(f">{len(data) // 2}H", data[:len(data) & ~1])) + (data[-1] << 8 if len(data) & 1 else 0)
    while total >> 16:
        total = (total & 0xFFFF) + (total >> 16)
    return total ^ 0xFFFF


def data_of(address, number):
    """The words of a message of data behind its first three."""
    first = ((address ^ number) * 2654435761) & 0xFFFFFFFF
    return struct.pack(f">{WORDS - 3}I", *(((first + index * 0x01010101) & 0xFFFFFFFF) for index in range(WORDS - 3)))


class Station:
    """What the host knows of one that it has heard."""

    def __init__(self, mac):
        self.mac, self.pinged, self.expected, self.total = mac, 0, 0, None
        self.acked, self.owes = 0, False
        self.since = 0.0


class Host:
    """A thread with a socket; `with Host(...) as host`, and host.arguments for QEMU."""

    def __init__(self, address, wire, bulk):
        self.address, self.wire, self.bulk = address, wire, bulk
        self.stations, self.wrong, self.frames = {}, [], 0
        self.folder = tempfile.mkdtemp(prefix="wire")
        self.ours, self.theirs = (os.path.join(self.folder, name) for name in "hq")
        self.socket, self.over = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM), threading.Event()
        self.socket.bind(self.ours)
        self.arguments = ["-netdev", f"dgram,id=wire,local.type=unix,local.path={self.theirs},"
                          f"remote.type=unix,remote.path={self.ours}", "-net", "nic,netdev=wire"]
        self.thread = threading.Thread(target=self.work)

    def __enter__(self):
        self.thread.start()
        return self

    def __exit__(self, *_):
        self.over.set()
        self.thread.join()
        self.socket.close()
        for path in (self.ours, self.theirs):
            with contextlib.suppress(FileNotFoundError):
                os.unlink(path)
        os.rmdir(self.folder)

    def work(self):
        """All that comes, and what is late."""
        while not self.over.is_set():
            while select.select([self.socket], [], [], AGAIN / 20)[0] and not self.over.is_set():
                frame = self.socket.recv(65536)
                try:
                    self.hear(frame)
                except (AssertionError, struct.error) as error:
                    self.wrong.append(f"{error!r}: {frame[:64].hex()}")
            for address, station in self.stations.items():
                self.advance(address, station)

    def send(self, frame):
        """What QEMU is not there for is lost, as on a wire."""
        with contextlib.suppress(OSError):
            self.socket.sendto(frame, self.theirs)
        time.sleep(PACE)

    def arp(self, operation, mac, address):
        """A question or an answer."""
        self.send((EVERYBODY if operation == 1 else mac) + MAC + struct.pack(">HHHBBH6sI6sI", 0x0806, 1, 0x0800, 6, 4, operation,
                                                                            MAC, self.address, mac, address))

    def ipv4(self, mac, address, protocol, data):
        """A datagram."""
        head = struct.pack(">BBHIBBHII", 0x45, 0, 20 + len(data), 0, 64, protocol, 0, self.address, address)
        head = head[:10] + struct.pack(">H", check_sum(head)) + head[12:]
        self.send(mac + MAC + struct.pack(">H", 0x0800) + head + data)

    def message(self, mac, address, data):
        """One of the bulk's."""
        self.ipv4(mac, address, 17, struct.pack(">HHHH", PORT, PORT, 8 + len(data), 0) + data)

    def ping(self, address, station):
        """The next one."""
        data = struct.pack(">BBHI", 8, 0, 0, station.pinged) + bytes(range(48))
        self.ipv4(station.mac, address, 1, data[:2] + struct.pack(">H", check_sum(data)) + data[4:])

    def advance(self, address, station):
        """Pings, one at a time; then the bulk."""
        late = time.monotonic() - station.since > AGAIN
        if station.pinged < PINGS:
            if late:
                self.ping(address, station)
                station.since = time.monotonic()
            return
        if station.owes:
            station.owes = False
            done = (station.acked, station.expected) == (self.bulk, station.total)
            self.message(station.mac, address, struct.pack(">III", ACK, station.expected, done))
        if late and station.acked < self.bulk:
            station.since = time.monotonic()
            words = struct.pack(">III", DATA, station.acked, self.bulk)
            self.message(station.mac, address, words + data_of(self.address, station.acked))

    def hear(self, frame):
        """A frame: whoever it is from, the wire has one address."""
        self.frames += 1
        to, source, kind = frame[:6], frame[6:12], struct.unpack(">H", frame[12:14])[0]
        assert source == self.wire, "source"
        assert to in (MAC, EVERYBODY), "destination"
        assert 60 <= len(frame) <= 1514, "length"
        if kind == 0x0806:
            operation, mac, address, _, asked = struct.unpack(">2xxxxxH6sI6sI", frame[14:42])
            assert mac == self.wire, "who says it"
            if asked == self.address:
                self.stations.setdefault(address, Station(mac))
                if operation == 1:
                    self.arp(2, mac, address)
            return
        assert kind == 0x0800, "protocol"
        length, address, target = struct.unpack(">2xH8xII", frame[14:34])
        if address not in self.stations:
            return                      # somebody else's broadcast
        assert check_sum(frame[14:34]) == 0, "header"
        assert target == self.address, "address"
        station, data = self.stations[address], frame[34:14 + length]
        if frame[23] == 1:
            self.hear_icmp(address, station, data)
        else:
            assert frame[23] == 17, "protocol"
            self.hear_message(address, station, data[8:])

    def hear_icmp(self, address, station, data):
        """A ping, or the answer to one."""
        assert check_sum(data) == 0, "check sum"
        if data[0] == 8:
            answer = b"\0\0\0\0" + data[4:]
            self.ipv4(station.mac, address, 1, answer[:2] + struct.pack(">H", check_sum(answer)) + answer[4:])
        elif data[4:8] == struct.pack(">I", station.pinged):
            assert data[8:] == bytes(range(48)), "bytes"
            station.pinged, station.since = station.pinged + 1, 0.0

    def hear_message(self, address, station, data):
        """Data, which is acknowledged; an ack."""
        kind, number = struct.unpack(">II", data[:8])
        if kind == DATA:
            assert data[12:] == data_of(address, number), "data"
            station.total = struct.unpack(">I", data[8:12])[0]
            station.expected += number == station.expected
            station.owes = True
        else:
            assert kind == ACK, "message"
            if number == station.acked + 1:
                station.acked, station.since = number, 0.0
                station.owes |= number == self.bulk
