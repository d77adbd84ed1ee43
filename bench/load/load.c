/* A load generator for group chat over WebSocket, and a checker of every delivery.
 *
 *     load --wire chattalk --plan plan.txt --path /ws/ --in-flight 16
 *
 * The plan has a line for each client: `port room credential`, rooms together. All clients connect
 * and enter, then some of each room publish: closed loop (--in-flight: so many messages are on
 * their way to all members, all the time) or open loop (--rate a second, whose times count from when
 * they were due). It says `connected`, `open` and `closed` (the window that counts) on a line
 * each, then its report as JSON. Each message carries a number, so that every client knows what it
 * lost, got twice or got out of order; wires with positions are checked by these, too.
 *
 * --linger S: so many seconds after the talk, for a server to close those who --stall.
 * --doze: sleep while nothing comes, where the core is shared with a server.
 * --ping S: one of the clients after the other asks for a pong, one every S seconds, whatever the
 * server is at: the slowest answer is the longest pause of its loop.
 * --buckets: the histograms whole, so that those of several generators can be made one.
 * --hold: after `connected` wait for a line on stdin. --after N --missed M: then, at once, each
 * client asks for what came after N and waits for M lines; with --reconnect by opening with it.
 */
#define _GNU_SOURCE
#include "load.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <getopt.h>
#include <netinet/tcp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

enum { MESSAGES_MAX = 1 << 22, READ_SIZE = 1 << 18, TEXT_MAX = 16384, EVENTS = 512 };
enum { CONTINUED = 0, TEXT = 1, BINARY = 2, CLOSE = 8, PING = 9, PONG = 10 };

Options options = {
    .host = "127.0.0.1", .path = "/ws/", .publishers = 50, .in_flight = 16, .bytes = 200,
    .connecting = 64, .warm = 1.0, .measure = 3.0, .drain = 10.0,
};
Result result;
Room *rooms;

static const Wire *wire;
static Client *clients;
static uint32_t client_count, room_count, joined_count, opened_count, caught_up_count;
static int poller;
static uint64_t now; /* ns, as of the last look; one look for each read is enough */
static bool in_window, posting, asked;

static uint64_t *sent_at;     /* by number */
static uint32_t *remaining;   /* deliveries that are outstanding, by number */
static uint32_t *publisher;   /* client, by number */
static uint32_t *nth;         /* of its publisher, by number */
static uint32_t numbered;

static void fail(const char *what) {
    fprintf(stderr, "load: %s\n", what);
    exit(2);
}

static void look_at_clock(void) {
    struct timespec time;
    clock_gettime(CLOCK_MONOTONIC, &time);
    now = (uint64_t)time.tv_sec * 1000000000ull + (uint64_t)time.tv_nsec;
}

static void tell(const char *word) {
    puts(word);
    fflush(stdout);
}

/* --- writing ----------------------------------------------------------------------------------- */

static void watch(Client *client, uint32_t events) {
    struct epoll_event event = {.events = events, .data.u32 = client->number};
    epoll_ctl(poller, EPOLL_CTL_MOD, client->fd, &event);
}

static void gone(Client *client) {
    if (client->state == GONE) return;
    if (!client->stalled) result.closed_early++;
    if (client->state == OPENING || client->state == JOINING) opened_count--;
    close(client->fd);
    client->state = GONE;
}

static void put(Client *client, const char *bytes, size_t size) {
    ssize_t taken = 0;
    if (client->out_size == 0) {
        taken = send(client->fd, bytes, size, MSG_NOSIGNAL);
        if (taken < 0 && errno != EAGAIN) return gone(client);
        if (taken < 0) taken = 0;
    }
    if ((size_t)taken == size) return;
    client->out = realloc(client->out, client->out_size + size - (size_t)taken);
    memcpy(client->out + client->out_size, bytes + taken, size - (size_t)taken);
    client->out_size += (uint32_t)(size - (size_t)taken);
    watch(client, EPOLLIN | EPOLLOUT);
}

static void flush(Client *client) {
    ssize_t taken = send(client->fd, client->out, client->out_size, MSG_NOSIGNAL);
    if (taken < 0 && errno != EAGAIN) return gone(client);
    if (taken > 0) {
        client->out_size -= (uint32_t)taken;
        memmove(client->out, client->out + taken, client->out_size);
    }
    if (client->out_size == 0) watch(client, EPOLLIN);
}

static void frame(Client *client, int opcode, const char *text, size_t size) {
    static const unsigned char mask[4] = {0x12, 0x34, 0x56, 0x78};
    char whole[TEXT_MAX + 8];
    size_t head = 2;
    whole[0] = (char)(0x80 | opcode);
    if (size < 126) {
        whole[1] = (char)(0x80 | size);
    } else {
        whole[1] = (char)(0x80 | 126);
        whole[2] = (char)(size >> 8);
        whole[3] = (char)size;
        head = 4;
    }
    memcpy(whole + head, mask, 4);
    for (size_t i = 0; i < size; i++) whole[head + 4 + i] = (char)(text[i] ^ mask[i & 3]);
    put(client, whole, head + 4 + size);
}

void say(Client *client, const char *format, ...) {
    char text[TEXT_MAX];
    va_list arguments;
    va_start(arguments, format);
    int size = vsnprintf(text, sizeof text, format, arguments);
    va_end(arguments);
    if (size < 0 || size >= TEXT_MAX) fail("a text is too long");
    frame(client, TEXT, text, (size_t)size);
}

/* --- pings: when they were sent is their payload ------------------------------------------------ */

static uint64_t pings_due;

static void ping_due(void) {
    static uint32_t turn_of;
    uint64_t began = now;
    while (pings_due <= began) {
        Client *client = &clients[turn_of++ % client_count];
        pings_due += (uint64_t)(options.ping * 1e9);
        if (client->state == JOINED && !client->stalled)
            frame(client, PING, (const char *)&began, sizeof began);
    }
}

static void take_pong(const char *payload, size_t size) {
    uint64_t sent;
    if (size != sizeof sent || !in_window) return;
    memcpy(&sent, payload, sizeof sent);
    histogram_add(&result.pinged, now - sent);
}

/* --- messages ---------------------------------------------------------------------------------- */

uint32_t number_in(const char *text, size_t size) {
    const char *mark = memmem(text, size, "@@", 2);
    if (mark == NULL || mark + 12 > text + size) return 0;
    uint32_t number = 0;
    for (int i = 2; i < 12; i++) number = number * 10 + (uint32_t)(mark[i] - '0');
    return number <= numbered ? number : 0;
}

static void post(Room *room, uint64_t due) {
    if (numbered + 1 >= MESSAGES_MAX) fail("more messages than this run can count");
    static char body[TEXT_MAX / 2];
    Client *client = NULL;
    for (uint32_t tries = 0; tries < room->publishers; tries++) {
        client = &clients[room->first + room->turn++ % room->publishers];
        if (client->state == JOINED) break;
    }
    if (client == NULL || client->state != JOINED) return;
    uint32_t number = ++numbered;
    sent_at[number] = due;
    remaining[number] = room->readers;
    publisher[number] = client->number;
    nth[number] = ++room->posted[client->number - room->first];
    snprintf(body, sizeof body, "@@%010u ", number);
    memset(body + 13, 'x', options.bytes - 13);
    body[options.bytes] = '\0';
    result.sent++;
    wire->post(client, number, body);
}

/* Whether it is the first time; one that comes after a later one of its publisher is counted. */
static bool is_new(Seen *seen, uint32_t which) {
    if (which > seen->last) {
        uint32_t ahead = which - seen->last;
        seen->recent = (ahead < 64 ? seen->recent << ahead : 0) | 1;
        seen->last = which;
        return true;
    }
    uint32_t behind = seen->last - which;
    uint64_t bit = behind < 64 ? 1ull << behind : 0;
    if (bit == 0 || (seen->recent & bit)) return false;
    seen->recent |= bit;
    result.disorder++;
    return true;
}

void heard(Client *client, uint32_t number) {
    Room *room = &rooms[client->room];
    uint32_t whose = publisher[number] - room->first;
    if (whose >= room->publishers) {
        result.disorder++; /* of another room */
        return;
    }
    if (!is_new(&client->seen[whose], nth[number])) {
        result.repeated++;
        return;
    }
    if (in_window) {
        result.delivered++;
        histogram_add(&result.each, now - sent_at[number]);
    }
    if (--remaining[number] > 0) return;
    if (in_window) {
        result.completed++;
        histogram_add(&result.last, now - sent_at[number]);
    }
    if (posting && options.rate == 0) post(room, now);
}

void line(Client *client, int64_t seq) {
    if (seq <= client->seq) result.repeated++;
    else if (seq != client->seq + 1) result.disorder++;
    if (seq > client->seq) client->seq = seq;
}

void missed_line(Client *client) {
    if (++client->missed < options.missed) return;
    client->caught_up = true;
    caught_up_count++;
    histogram_add(&result.each, now - client->began);
}

void acknowledged(void) { result.acked++; }

void refused(const char *text, size_t size) {
    if (result.failed++ < 3)
        fprintf(stderr, "load: refused: %.*s\n", (int)(size < 300 ? size : 300), text);
}

/* --- the way in -------------------------------------------------------------------------------- */

void joined(Client *client) {
    if (client->state == JOINED) return;
    client->state = JOINED;
    joined_count++;
    opened_count--;
    histogram_add(&result.joined, now - client->began);
    if (client->stalled) epoll_ctl(poller, EPOLL_CTL_DEL, client->fd, NULL);
}

static void start(Client *client) {
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_port = htons(client->port)};
    inet_pton(AF_INET, options.host, &address.sin_addr);
    client->fd = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0);
    int yes = 1;
    setsockopt(client->fd, IPPROTO_TCP, TCP_NODELAY, &yes, sizeof yes);
    if (client->stalled) { /* what the kernel would hold for it is not what we look at */
        int small = 4096;
        setsockopt(client->fd, SOL_SOCKET, SO_RCVBUF, &small, sizeof small);
    }
    client->state = CONNECTING;
    client->began = now;
    opened_count++;
    if (connect(client->fd, (struct sockaddr *)&address, sizeof address) < 0 &&
        errno != EINPROGRESS)
        fail(strerror(errno));
    struct epoll_event event = {.events = EPOLLIN | EPOLLOUT, .data.u32 = client->number};
    epoll_ctl(poller, EPOLL_CTL_ADD, client->fd, &event);
}

static void ask_to_upgrade(Client *client) {
    char request[2048], path[256], cookie[600] = "", protocol[100] = "";
    snprintf(path, sizeof path, "%s", options.path);
    char *place = strstr(path, "%s");
    if (place != NULL) {
        char tail[128];
        snprintf(tail, sizeof tail, "%s", place + 2);
        snprintf(place, sizeof path - (size_t)(place - path), "%s%s", rooms[client->room].name,
                 tail);
    }
    if (strcmp(wire->name, "chattalk") == 0)
        snprintf(cookie, sizeof cookie, "Cookie: sessionid=%s\r\n", client->credential);
    if (wire->subprotocol != NULL)
        snprintf(protocol, sizeof protocol, "Sec-WebSocket-Protocol: %s\r\n", wire->subprotocol);
    int size = snprintf(request, sizeof request,
                        "GET %s HTTP/1.1\r\nHost: %s:%u\r\nUpgrade: websocket\r\n"
                        "Connection: Upgrade\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n"
                        "Sec-WebSocket-Version: 13\r\nOrigin: http://%s:%u\r\n%s%s\r\n",
                        path, options.host, client->port, options.host, client->port, cookie,
                        protocol);
    client->state = OPENING;
    put(client, request, (size_t)size);
    if (client->out_size == 0) watch(client, EPOLLIN);
}

/* --- reading ----------------------------------------------------------------------------------- */

static void take_frame(Client *client, int opcode, const char *payload, size_t size) {
    result.frames++;
    if (opcode == TEXT || opcode == BINARY) wire->take(client, payload, size);
    else if (opcode == PING) frame(client, PONG, payload, size);
    else if (opcode == PONG) take_pong(payload, size);
    else if (opcode == CLOSE) gone(client);
}

/* Take the whole frames; says how many bytes they were. */
static size_t take_frames(Client *client, const unsigned char *bytes, size_t size) {
    size_t done = 0;
    while (client->state != GONE && size - done >= 2) {
        const unsigned char *at = bytes + done;
        size_t length = at[1] & 0x7f, head = 2;
        if (length == 126) {
            if (size - done < 4) break;
            length = (size_t)at[2] << 8 | at[3];
            head = 4;
        } else if (length == 127) {
            if (size - done < 10) break;
            length = 0;
            for (int i = 2; i < 10; i++) length = length << 8 | at[i];
            head = 10;
        }
        if (size - done < head + length) break;
        take_frame(client, at[0] & 0x0f, (const char *)at + head, length);
        done += head + length;
    }
    return done;
}

static size_t take_upgrade(Client *client, const char *bytes, size_t size) {
    const char *end = memmem(bytes, size, "\r\n\r\n", 4);
    if (end == NULL) return 0;
    if (memcmp(bytes, "HTTP/1.1 101", 12) != 0) {
        refused(bytes, size);
        gone(client);
        return size;
    }
    client->state = JOINING;
    wire->open(client);
    return (size_t)(end - bytes) + 4;
}

static size_t take(Client *client, const char *bytes, size_t size) {
    size_t done = 0;
    if (client->state == OPENING) {
        done = take_upgrade(client, bytes, size);
        if (done == 0) return 0;
    }
    return done + take_frames(client, (const unsigned char *)bytes + done, size - done);
}

static void read_from(Client *client) {
    static char buffer[READ_SIZE];
    size_t kept = client->in_size;
    if (kept > READ_SIZE / 2) fail("a frame is too long");
    memcpy(buffer, client->in, kept);
    ssize_t got = recv(client->fd, buffer + kept, READ_SIZE - kept, 0);
    if (got == 0 || (got < 0 && errno != EAGAIN)) return gone(client);
    if (got < 0) return;
    look_at_clock();
    if (in_window) result.reads++;
    result.bytes += (uint64_t)got;
    size_t size = kept + (size_t)got, done = take(client, buffer, size);
    if (client->state == GONE) return;
    client->in_size = (uint32_t)(size - done);
    if (client->in_size > 0 || kept > 0) {
        client->in = realloc(client->in, client->in_size + 1);
        memcpy(client->in, buffer + done, client->in_size);
    }
}

static void handle(struct epoll_event *event) {
    Client *client = &clients[event->data.u32];
    if (client->state == GONE) return;
    if (client->state == CONNECTING) {
        if (event->events & (EPOLLERR | EPOLLHUP)) return gone(client);
        if (event->events & EPOLLOUT) ask_to_upgrade(client);
        return;
    }
    if ((event->events & EPOLLOUT) && client->out_size > 0) flush(client);
    if (client->state != GONE && (event->events & (EPOLLIN | EPOLLHUP | EPOLLERR)))
        read_from(client);
}

static uint64_t worked; /* ns, of the window */

static uint64_t clock_now(void) {
    look_at_clock();
    return now;
}

/* What happened by now. While it measures it never sleeps: a server whose every send has to wake
 * its receiver, on a core of the same machine, pays for that, and only if it is slow enough for the
 * receiver to fall asleep. Real clients are elsewhere. */
static void turn(void) {
    struct epoll_event events[EVENTS];
    int count = epoll_wait(poller, events, EVENTS, !options.doze && (in_window || posting) ? 0 : 1);
    uint64_t began = clock_now();
    for (int i = 0; i < count; i++) handle(&events[i]);
    if (count > 0 && in_window) worked += clock_now() - began;
}

/* --- the run ----------------------------------------------------------------------------------- */

static void connect_all(void) {
    uint32_t next = 0;
    look_at_clock();
    uint64_t began = now;
    while (joined_count + (uint32_t)result.closed_early < client_count) {
        double due = options.connect_rate > 0
                         ? (double)(now - began) / 1e9 * options.connect_rate + 1
                         : client_count;
        while (next < client_count && next < due && opened_count < options.connecting)
            start(&clients[next++]);
        turn();
        if (now - began > 120000000000ull) fail("not everybody came in within 120 s");
    }
    if (result.closed_early > 0) fail("connections were refused or lost on the way in");
}

static void post_due(uint64_t began, uint64_t until) {
    static uint64_t posted;
    uint64_t limit = now < until ? now : until;
    uint64_t due = (uint64_t)((double)(limit - began) / 1e9 * options.rate);
    if (posted == due) return;
    uint64_t from = clock_now();
    for (; posted < due; posted++)
        post(&rooms[posted % room_count], began + (uint64_t)((double)posted / options.rate * 1e9));
    if (in_window) worked += clock_now() - from;
}

static double window_seconds;

static void open_window(void) {
    in_window = true;
    window_seconds = -(double)now / 1e9;
    tell("open");
}

static void close_window(void) {
    in_window = false;
    window_seconds += (double)now / 1e9;
    tell("closed");
}

static void talk(void) {
    uint64_t began = now, opens = began + (uint64_t)(options.warm * 1e9);
    uint64_t closes = opens + (uint64_t)(options.measure * 1e9);
    posting = true;
    pings_due = now;
    if (options.rate == 0)
        for (uint32_t i = 0; i < options.in_flight; i++) post(&rooms[i % room_count], now);
    while (now < closes) {
        if (!in_window && now >= opens) open_window();
        if (options.rate > 0) post_due(began, closes);
        if (options.ping > 0) ping_due();
        turn();
    }
    posting = false;
    close_window();
}

static uint64_t outstanding(void) {
    uint64_t count = 0;
    for (uint32_t number = 1; number <= numbered; number++) count += remaining[number];
    return count;
}

static void drain(void) {
    uint64_t until = now + (uint64_t)(options.drain * 1e9);
    bool acks = result.acked > 0;
    while (now < until && (outstanding() > 0 || (acks && result.acked < result.sent)))
        for (int i = 0; i < 20 && now < until; i++) turn();
    result.lost = outstanding();
}

static void catch_up_all(void) {
    open_window();
    uint64_t until = now + 120000000000ull;
    if (options.reconnect) {
        connect_all();
    } else {
        for (uint32_t i = 0; i < client_count; i++) {
            clients[i].began = now;
            wire->catch_up(&clients[i]);
        }
    }
    while (caught_up_count < client_count && now < until) turn();
    close_window();
    result.lost = client_count - caught_up_count;
}

/* Those who stopped reading: were they told to go? */
static void look_at_stalled(void) {
    static char buffer[READ_SIZE];
    for (uint64_t until = now + (uint64_t)(options.linger * 1e9); now < until;) turn();
    for (uint32_t i = 0; i < client_count; i++) {
        if (!clients[i].stalled || clients[i].state == GONE) continue;
        ssize_t got;
        while ((got = recv(clients[i].fd, buffer, sizeof buffer, 0)) > 0) continue;
        result.stalled_closed += got == 0 || (errno != EAGAIN && errno != EWOULDBLOCK);
    }
}

/* --- what was asked for -------------------------------------------------------------------------- */

static Room *room_named(const char *name) {
    if (room_count > 0 && strcmp(rooms[room_count - 1].name, name) == 0)
        return &rooms[room_count - 1];
    rooms = realloc(rooms, (room_count + 1) * sizeof *rooms);
    Room *room = &rooms[room_count++];
    memset(room, 0, sizeof *room);
    snprintf(room->name, sizeof room->name, "%s", name);
    room->first = client_count;
    return room;
}

static void read_plan(void) {
    FILE *file = fopen(options.plan, "r");
    char name[32], credential[500];
    unsigned port;
    if (file == NULL) fail("the plan can't be read");
    while (fscanf(file, "%u %31s %499s", &port, name, credential) == 3) {
        Room *room = room_named(name);
        clients = realloc(clients, (client_count + 1) * sizeof *clients);
        Client *client = &clients[client_count];
        memset(client, 0, sizeof *client);
        client->port = (uint16_t)port;
        client->number = client_count++;
        client->room = room_count - 1;
        client->credential = strdup(credential);
        room->members++;
    }
    fclose(file);
    if (client_count == 0) fail("the plan is empty");
}

/* The last of each room stall; the first ones publish. */
static void deal_out(void) {
    for (uint32_t r = 0; r < room_count; r++) {
        Room *room = &rooms[r];
        uint32_t stalled = options.stall < room->members ? options.stall : room->members - 1;
        room->readers = room->members - stalled;
        room->publishers = room->readers < options.publishers ? room->readers : options.publishers;
        for (uint32_t i = 0; i < room->members; i++) {
            Client *client = &clients[room->first + i];
            client->stalled = i >= room->readers;
            client->seen = calloc(room->publishers, sizeof *client->seen);
        }
    }
    sent_at = calloc(MESSAGES_MAX, sizeof *sent_at);
    remaining = calloc(MESSAGES_MAX, sizeof *remaining);
    publisher = calloc(MESSAGES_MAX, sizeof *publisher);
    nth = calloc(MESSAGES_MAX, sizeof *nth);
}

static void read_options(int count, char **words) {
    enum { WIRE = 256, PLAN, HOST, PATH, PUBLISHERS, IN_FLIGHT, RATE, BYTES, WARM, MEASURE, DRAIN,
           AT_ONCE, CONNECT_RATE, STALL, HOLD, AFTER, MISSED, RECONNECT, DOZE, LINGER, BUCKETS, PING_EVERY };
    static const struct option known[] = {
        {"wire", 1, 0, WIRE}, {"plan", 1, 0, PLAN}, {"host", 1, 0, HOST}, {"path", 1, 0, PATH},
        {"publishers", 1, 0, PUBLISHERS}, {"in-flight", 1, 0, IN_FLIGHT}, {"rate", 1, 0, RATE},
        {"bytes", 1, 0, BYTES}, {"warm", 1, 0, WARM}, {"measure", 1, 0, MEASURE},
        {"drain", 1, 0, DRAIN}, {"connecting", 1, 0, AT_ONCE},
        {"connect-rate", 1, 0, CONNECT_RATE}, {"stall", 1, 0, STALL}, {"hold", 0, 0, HOLD},
        {"after", 1, 0, AFTER}, {"missed", 1, 0, MISSED}, {"reconnect", 0, 0, RECONNECT},
        {"doze", 0, 0, DOZE}, {"linger", 1, 0, LINGER}, {"buckets", 0, 0, BUCKETS},
        {"ping", 1, 0, PING_EVERY}, {0},
    };
    int word;
    while ((word = getopt_long(count, words, "", known, NULL)) != -1) {
        switch (word) {
        case WIRE: wire = wire_named(optarg); break;
        case PLAN: options.plan = optarg; break;
        case HOST: options.host = optarg; break;
        case PATH: options.path = optarg; break;
        case PUBLISHERS: options.publishers = (uint32_t)atoi(optarg); break;
        case IN_FLIGHT: options.in_flight = (uint32_t)atoi(optarg); break;
        case RATE: options.rate = atof(optarg); break;
        case BYTES: options.bytes = (uint32_t)atoi(optarg); break;
        case WARM: options.warm = atof(optarg); break;
        case MEASURE: options.measure = atof(optarg); break;
        case DRAIN: options.drain = atof(optarg); break;
        case AT_ONCE: options.connecting = (uint32_t)atoi(optarg); break;
        case CONNECT_RATE: options.connect_rate = atof(optarg); break;
        case STALL: options.stall = (uint32_t)atoi(optarg); break;
        case HOLD: options.hold = true; break;
        case AFTER: options.after = atol(optarg); asked = true; break;
        case MISSED: options.missed = (uint32_t)atoi(optarg); break;
        case RECONNECT: options.reconnect = true; break;
        case DOZE: options.doze = true; break;
        case LINGER: options.linger = atof(optarg); break;
        case BUCKETS: options.buckets = true; break;
        case PING_EVERY: options.ping = atof(optarg); break;
        default: fail("see the head of bench/load/load.c for what it can be asked");
        }
    }
    if (wire == NULL || options.plan == NULL) fail("--wire and --plan are needed");
    if (options.bytes < 20 || options.bytes > 4000) fail("--bytes is 20 to 4000");
    if (options.publishers > PUBLISHERS_MAX) fail("--publishers is too many");
}

static void report_times(const char *name, const Histogram *times) {
    printf("\"%s\": {\"count\": %lu, \"p50\": %.3f, \"p90\": %.3f, \"p99\": %.3f, \"p999\": %.3f, "
           "\"max\": %.3f",
           name, times->count, histogram_ms(times, 0.5), histogram_ms(times, 0.9),
           histogram_ms(times, 0.99), histogram_ms(times, 0.999), histogram_ms(times, 1.0));
    if (options.buckets) {
        printf(", \"buckets\": ");
        histogram_print(times);
    }
    printf("}, ");
}

static void report(void) {
    printf("{\"wire\": \"%s\", \"clients\": %u, \"rooms\": %u, \"seconds\": %.4f, \"busy\": %.4f, ",
           wire->name, client_count, room_count, window_seconds,
           window_seconds > 0 ? (double)worked / 1e9 / window_seconds : 0);
    printf("\"sent\": %lu, \"acked\": %lu, \"delivered\": %lu, \"completed\": %lu, ", result.sent,
           result.acked, result.delivered, result.completed);
    printf("\"lost\": %lu, \"repeated\": %lu, \"disorder\": %lu, \"refused\": %lu, ", result.lost,
           result.repeated, result.disorder, result.failed);
    printf("\"closed_early\": %lu, \"stalled_closed\": %lu, \"frames\": %lu, \"bytes\": %lu, "
           "\"reads\": %lu, ",
           result.closed_early, result.stalled_closed, result.frames, result.bytes, result.reads);
    report_times("latency_ms", &result.each);
    report_times("last_ms", &result.last);
    report_times("joined_ms", &result.joined);
    report_times("pinged_ms", &result.pinged);
    printf("\"other_frames\": %lu}\n", result.other_frames);
}

int main(int count, char **words) {
    struct rlimit files = {65536, 65536};
    setrlimit(RLIMIT_NOFILE, &files);
    read_options(count, words);
    read_plan();
    deal_out();
    poller = epoll_create1(0);
    if (!options.reconnect) {
        connect_all();
        tell("connected");
    }
    if (options.hold) {
        while (true) { /* stdin is one of the things that may happen */
            struct epoll_event input = {.events = EPOLLIN, .data.u32 = UINT32_MAX};
            static bool added;
            if (!added) epoll_ctl(poller, EPOLL_CTL_ADD, 0, &input), added = true;
            struct epoll_event events[EVENTS];
            int got = epoll_wait(poller, events, EVENTS, 100);
            look_at_clock();
            bool go = false;
            for (int i = 0; i < got; i++) {
                if (events[i].data.u32 == UINT32_MAX) go = true;
                else handle(&events[i]);
            }
            if (go) break;
        }
        epoll_ctl(poller, EPOLL_CTL_DEL, 0, NULL);
    }
    look_at_clock();
    if (asked) {
        catch_up_all();
    } else if (options.measure > 0) {
        talk();
        drain();
    }
    look_at_stalled();
    report();
    return 0;
}
