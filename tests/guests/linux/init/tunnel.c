/*
 * tunnel.c: an end of a tunnel, if the device tree has one: memory, registers and doorbell are those of /dev/uio0, an unmodified
 * driver of the kernel's. Messages go through the guests' own library (hypercalls/ipc), each comes back with all its bits turned.
 */
#include "check.h"

#include <abi.h>
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <unistd.h>

#include "ring.h"

#define DEVICE   "/dev/uio0"
#define MESSAGES 2000u
#define WORDS    16u        // of the longest message
#define RING     1024u
#define PATIENCE 100        // ms: a doorbell that came while the driver had it masked is not told
#define LOOKS    200u       // without any progress

static volatile uint32_t *registers;
static int device;
static unsigned bells;

// The driver's number, for there is nobody who makes nodes; 0: there is no such device
static unsigned major_of(const char *driver)
{
    char line[80], name[40];
    unsigned number, found = 0;
    FILE *file = fopen("/proc/devices", "r");

    if (file == NULL) {
        fail("/proc/devices: %s", strerror(errno));
    }
    while (fgets(line, sizeof line, file) != NULL) {
        if (sscanf(line, "%u %39s", &number, name) == 2 && strcmp(name, driver) == 0) {
            found = number;
        }
    }
    fclose(file);
    return found;
}

static bool open_device(void)
{
    unsigned number = major_of("uio");

    if (number == 0 || mknod(DEVICE, S_IFCHR | 0600, makedev(number, 0)) != 0) {
        fail("mknod: driver %u: %s", number, strerror(errno));
    }
    device = open(DEVICE, O_RDWR);
    if (device < 0 && errno != ENODEV && errno != ENXIO) {
        fail("open: %s", strerror(errno));
    }
    return device >= 0;
}

// UIO: map number n is at n pages of the file
static void *map(unsigned number)
{
    void *at = mmap(NULL, PAGE, PROT_READ | PROT_WRITE, MAP_SHARED, device, (off_t)(number * PAGE));

    if (at == MAP_FAILED) {
        fail("mmap %u: %s", number, strerror(errno));
    }
    return at;
}

static uint32_t state(void)
{
    return registers[TUNNEL_REG_STATE / 4];
}

// For a doorbell, which is off after each until it is asked for
static void wait_bell(void)
{
    struct pollfd what = { .fd = device, .events = POLLIN };
    uint32_t on = 1, count;

    if (write(device, &on, sizeof on) != sizeof on) {
        fail("write: %s", strerror(errno));
    }
    if (poll(&what, 1, PATIENCE) > 0 && read(device, &count, sizeof count) == sizeof count) {
        bells++;
    }
}

static void ring_if(bool rings)
{
    if (rings) {
        registers[TUNNEL_REG_NOTIFY / 4] = 1;
    }
}

static uint32_t fill(unsigned number, uint32_t *words)
{
    uint32_t length = 4 + number * 7 % (4 * WORDS - 3);

    for (unsigned i = 0; i < WORDS; i++) {
        words[i] = (number + i) * 2654435761u;
    }
    words[0] = number;
    return length;
}

static void expect_answer(unsigned number, const uint32_t *words, int32_t length)
{
    uint32_t sent[WORDS], expected = fill(number, sent);

    if (length != (int32_t)expected) {
        fail("answer %u has %d bytes, not %u", number, (int)length, (unsigned)expected);
    }
    for (uint32_t i = 0; i < expected; i++) {
        unsigned got = ((const uint8_t *)words)[i], byte = ((const uint8_t *)sent)[i];

        if ((got ^ byte) != 0xFF) {
            fail("answer %u is wrong at byte %u", number, (unsigned)i);
        }
    }
}

static void connect(void)
{
    registers[TUNNEL_REG_CONTROL / 4] = TUNNEL_CONTROL_CONNECT;
    for (unsigned look = 0; (state() & TUNNEL_PEER) == 0; look++) {
        if (look == LOOKS) {
            fail("nobody is at the other end: state %#x", (unsigned)state());
        }
        wait_bell();
    }
}

static unsigned exchange(struct ring *out, struct ring *in)
{
    unsigned sent = 0, received = 0, looks = 0;
    uint32_t words[WORDS];

    while (received < MESSAGES) {
        unsigned before = sent + received;
        int32_t length;

        while (sent < MESSAGES && ring_send(out, words, fill(sent, words)) == 0) {
            sent++;
        }
        ring_if(ring_rings(out));
        while ((length = ring_receive(in, words, sizeof words)) != IPC_E_EMPTY) {
            expect_answer(received++, words, length);
        }
        ring_if(ring_rings(in));
        looks = sent + received != before ? 0 : looks + 1;
        if (looks == LOOKS) {
            fail("%u answers of %u, and no more: state %#x", received, sent, (unsigned)state());
        }
        if (sent + received == before) {
            wait_bell();
        }
    }
    return received;
}

unsigned check_tunnel(void)
{
    struct ipc_area rest, part;
    struct ring out, in;
    unsigned answers;

    check_name = "tunnel";
    if (!open_device()) {
        return 0;
    }
    rest = (struct ipc_area){ map(0), PAGE, true };
    registers = map(1);
    connect();
    if ((state() & TUNNEL_SIZE) != PAGE ||
        ipc_cut(&rest, RING_BYTES(RING), &part) != 0 || ring_open(&out, &part, IPC_WRITER) != 0 ||
        ipc_cut(&rest, RING_BYTES(RING), &part) != 0 || ring_open(&in, &part, IPC_READER) != 0) {
        fail("rings do not open: state %#x", (unsigned)state());
    }
    answers = exchange(&out, &in);
    if (bells == 0) {
        fail("no doorbell was heard");
    }
    registers[TUNNEL_REG_CONTROL / 4] = TUNNEL_CONTROL_CLOSE;
    if ((state() & TUNNEL_OPEN) != 0) {
        fail("still open: state %#x", (unsigned)state());
    }
    return answers;
}
