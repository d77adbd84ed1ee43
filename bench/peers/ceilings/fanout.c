/* The wall for "one send() per delivery": rooms over WebSocket, and nothing else.

     fanout PORT        (on 127.0.0.1)

   A room is a path. Each text message goes as it came to every connection of the same path, one
   send() each; what the kernel does not take at once waits here. No store, no names, no TLS, no
   extensions, no fragmented messages: whatever a chat server does besides costs extra. */
#define _GNU_SOURCE
#include "handshake.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

#define PAYLOAD_MAX (64 * 1024) /* bytes, of one message */
#define READ_MAX (64 * 1024)
#define WAITING_MAX (16 * 1024 * 1024) /* bytes; who reads more slowly is cut off */
#define BACKLOG 4096
#define EVENTS 512
enum { TEXT = 1, CLOSE = 8, PING = 9, PONG = 10 };

typedef struct Connection Connection;

typedef struct Room {
    char path[128];
    Connection **members;
    size_t count, space;
    struct Room *next;
} Room;

struct Connection {
    int fd;
    bool doomed;
    Room *room; /* NULL until the handshake */
    size_t place;
    char *in, *out; /* not whole yet; not taken by the kernel yet */
    size_t in_size, out_size, out_space;
    Connection *next_doomed;
};

static int poller;
static Room *rooms;
static Connection *doomed;

static void die(const char *what) {
    perror(what);
    exit(1);
}

static void *grown(void *old, size_t size) {
    void *memory = realloc(old, size);
    if (memory == NULL) die("memory");
    return memory;
}

/* --- writing ---------------------------------------------------------------------------------- */

static void doom(Connection *connection) {
    if (connection->doomed) return;
    connection->doomed = true;
    connection->next_doomed = doomed;
    doomed = connection;
}

static void watch(Connection *connection, uint32_t events) {
    struct epoll_event event = {.events = events, .data.ptr = connection};
    epoll_ctl(poller, EPOLL_CTL_MOD, connection->fd, &event);
}

static void keep(Connection *connection, const char *data, size_t size) {
    size_t needed = connection->out_size + size;
    if (needed > WAITING_MAX) {
        doom(connection);
        return;
    }
    if (needed > connection->out_space)
        connection->out = grown(connection->out, connection->out_space = 2 * needed);
    if (connection->out_size == 0) watch(connection, EPOLLIN | EPOLLOUT);
    memcpy(connection->out + connection->out_size, data, size);
    connection->out_size = needed;
}

/* How much the kernel took. */
static size_t sent(Connection *connection, const char *data, size_t size) {
    ssize_t taken = send(connection->fd, data, size, MSG_DONTWAIT | MSG_NOSIGNAL);
    if (taken < 0 && errno != EAGAIN && errno != EINTR) doom(connection);
    return taken > 0 ? (size_t)taken : 0;
}

static void put(Connection *connection, const char *data, size_t size) {
    if (connection->doomed) return;
    size_t taken = connection->out_size > 0 ? 0 : sent(connection, data, size);
    if (taken < size && !connection->doomed) keep(connection, data + taken, size - taken);
}

static void put_rest(Connection *connection) {
    size_t taken = sent(connection, connection->out, connection->out_size);
    connection->out_size -= taken;
    memmove(connection->out, connection->out + taken, connection->out_size);
    if (connection->out_size == 0) watch(connection, EPOLLIN);
}

/* --- rooms ------------------------------------------------------------------------------------ */

static Room *room_of(const char *path) {
    for (Room *room = rooms; room != NULL; room = room->next)
        if (strcmp(room->path, path) == 0) return room;
    Room *room = grown(NULL, sizeof *room);
    *room = (Room){.next = rooms};
    snprintf(room->path, sizeof room->path, "%s", path);
    return rooms = room;
}

static void enter(Connection *connection, Room *room) {
    if (room->count == room->space)
        room->members = grown(room->members, (room->space = 2 * room->space + 8) * sizeof(void *));
    connection->room = room;
    connection->place = room->count;
    room->members[room->count++] = connection;
}

static void leave(Connection *connection) {
    Room *room = connection->room;
    if (room == NULL) return;
    Connection *last = room->members[--room->count];
    room->members[last->place = connection->place] = last;
}

/* A frame of the server; `frame` has space for the payload and 4 bytes more. Its size. */
static size_t framed(char *frame, int opcode, const char *payload, size_t size) {
    size_t head = size < 126 ? 2 : 4;
    frame[0] = (char)(0x80 | opcode);
    frame[1] = (char)(size < 126 ? size : 126);
    if (head == 4) frame[2] = (char)(size >> 8), frame[3] = (char)size;
    memcpy(frame + head, payload, size);
    return head + size;
}

static void take_frame(Connection *connection, int opcode, const char *payload, size_t size) {
    static char frame[PAYLOAD_MAX + 4];
    if (opcode == TEXT) {
        size_t length = framed(frame, TEXT, payload, size);
        Room *room = connection->room;
        for (size_t i = 0; i < room->count; i++) put(room->members[i], frame, length);
    } else if (opcode == PING) {
        put(connection, frame, framed(frame, PONG, payload, size));
    } else if (opcode == CLOSE) {
        put(connection, frame, framed(frame, CLOSE, payload, size < 2 ? 0 : 2));
        doom(connection);
    } else if (opcode != PONG) {
        doom(connection);
    }
}

/* --- reading ---------------------------------------------------------------------------------- */

/* How many bytes of the request were used: 0 while it is not whole. */
static size_t take_request(Connection *connection, char *data, size_t size) {
    char *end = memmem(data, size, "\r\n\r\n", 4);
    if (end == NULL) return 0;
    *end = 0;
    char path[128], key[25], accept[29], answer[160];
    char *line = strcasestr(data, "\r\nSec-WebSocket-Key:");
    if (line == NULL || sscanf(data, "GET %127s", path) != 1 ||
        sscanf(line + 20, " %24s", key) != 1 || strlen(key) != 24) {
        doom(connection);
        return 0;
    }
    accepted(key, accept);
    int length = snprintf(answer, sizeof answer,
                          "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\n"
                          "Connection: Upgrade\r\nSec-WebSocket-Accept: %s\r\n\r\n", accept);
    put(connection, answer, (size_t)length);
    enter(connection, room_of(path));
    return (size_t)(end + 4 - data);
}

/* How many bytes of the next frame were used: 0 while it is not whole. */
static size_t take_bytes(Connection *connection, char *data, size_t size) {
    if (size < 6) return 0;
    uint8_t first = (uint8_t)data[0], second = (uint8_t)data[1];
    size_t length = second & 0x7F, head = length == 126 ? 8 : 6;
    if (size < head) return 0;
    if (length == 126) length = (size_t)(uint8_t)data[2] << 8 | (uint8_t)data[3];
    if ((first & 0xF0) != 0x80 || !(second & 0x80) || (second & 0x7F) == 127) {
        doom(connection); /* a fragment, an extension, no mask, or over 64 KiB */
        return 0;
    }
    if (size < head + length) return 0;
    const char *mask = data + head - 4;
    for (size_t i = 0; i < length; i++) data[head + i] ^= mask[i & 3];
    take_frame(connection, first & 0x0F, data + head, length);
    return head + length;
}

static void take(Connection *connection) {
    static char data[PAYLOAD_MAX + READ_MAX + 8];
    size_t size = connection->in_size, used = 0, step;
    if (size > 0) memcpy(data, connection->in, size);
    ssize_t came = recv(connection->fd, data + size, READ_MAX, MSG_DONTWAIT);
    if (came <= 0) {
        if (came == 0 || (errno != EAGAIN && errno != EINTR)) doom(connection);
        return;
    }
    size += (size_t)came;
    do {
        char *rest = data + used;
        step = connection->room == NULL ? take_request(connection, rest, size - used)
                                        : take_bytes(connection, rest, size - used);
        used += step;
    } while (step > 0 && !connection->doomed);
    connection->in_size = size - used;
    if (connection->in_size > PAYLOAD_MAX + 8) doom(connection); /* a request without an end */
    else if (connection->in_size > 0)
        memcpy(connection->in = grown(connection->in, size - used), data + used, size - used);
}

/* --- connections ------------------------------------------------------------------------------ */

static void welcome(int listener) {
    int fd, yes = 1;
    while ((fd = accept4(listener, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC)) >= 0) {
        setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &yes, sizeof yes);
        Connection *connection = grown(NULL, sizeof *connection);
        *connection = (Connection){.fd = fd};
        struct epoll_event event = {.events = EPOLLIN, .data.ptr = connection};
        if (epoll_ctl(poller, EPOLL_CTL_ADD, fd, &event) < 0) die("epoll");
    }
    if (errno == EMFILE || errno == ENFILE) die("accept");
}

/* After a round of events, so that no event of the round is about a freed connection. */
static void bury(void) {
    while (doomed != NULL) {
        Connection *connection = doomed;
        doomed = connection->next_doomed;
        leave(connection);
        close(connection->fd);
        free(connection->in);
        free(connection->out);
        free(connection);
    }
}

static int listening(uint16_t port) {
    int yes = 1, fd = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_port = htons(port)};
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &yes, sizeof yes);
    if (bind(fd, (struct sockaddr *)&address, sizeof address) < 0) die("bind");
    if (listen(fd, BACKLOG) < 0) die("listen");
    return fd;
}

int main(int count, char **words) {
    if (count != 2) return fprintf(stderr, "fanout PORT\n"), 2;
    int listener = listening((uint16_t)atoi(words[1]));
    struct epoll_event events[EVENTS], event = {.events = EPOLLIN};
    poller = epoll_create1(EPOLL_CLOEXEC);
    if (epoll_ctl(poller, EPOLL_CTL_ADD, listener, &event) < 0) die("epoll");
    for (;;) {
        int ready = epoll_wait(poller, events, EVENTS, -1);
        for (int i = 0; i < ready; i++) {
            Connection *connection = events[i].data.ptr;
            if (connection == NULL) welcome(listener);
            else if (!connection->doomed) {
                if (events[i].events & EPOLLOUT) put_rest(connection);
                if (events[i].events & ~(uint32_t)EPOLLOUT) take(connection);
            }
        }
        bury();
    }
}
