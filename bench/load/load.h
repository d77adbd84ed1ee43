/* A load generator for group chat over WebSocket. See load.c for what it does and says. */
#ifndef LOAD_H
#define LOAD_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define PUBLISHERS_MAX 64 /* per room */

/* --- what is measured: histogram.c ------------------------------------------------------------ */

typedef struct {
    uint64_t count, max, buckets[2048];
} Histogram; /* of microseconds, within 1.6 % */

void histogram_add(Histogram *histogram, uint64_t nanoseconds);
double histogram_ms(const Histogram *histogram, double quantile);
void histogram_print(const Histogram *histogram); /* [[bucket, count], …] */

/* --- a client and its room -------------------------------------------------------------------- */

typedef struct {
    char name[32];
    uint32_t first, members, publishers, readers; /* clients; readers are not stalled */
    uint32_t turn;                                /* whose it is to publish */
    uint32_t posted[PUBLISHERS_MAX];              /* by each publisher */
} Room;

/* What a client got of one publisher: the last of its messages, and which of the 64 up to it. */
typedef struct Seen {
    uint32_t last;
    uint64_t recent;
} Seen;

typedef enum { WAITING, CONNECTING, OPENING, JOINING, JOINED, GONE } State;

typedef struct {
    int fd;
    State state;
    uint16_t port;
    bool stalled, caught_up, told;
    uint32_t number, room, step; /* step: of the wire's own way in */
    char *credential;
    char *in, *out; /* what is not a whole frame yet; what the kernel did not take yet */
    uint32_t in_size, out_size;
    int64_t seq;                          /* the last one seen, where the wire has one */
    struct Seen *seen;                    /* by publisher of the room */
    uint32_t missed;                      /* lines of the catch-up so far */
    uint64_t began;
} Client;

/* --- what was asked for, and what came of it ---------------------------------------------------- */

typedef struct {
    const char *host, *path, *plan, *subprotocol;
    uint32_t publishers, in_flight, bytes, connecting, stall, missed;
    int64_t after;
    double rate, connect_rate, warm, measure, drain, ping;
    bool hold, reconnect, doze, buckets;
    double linger;
} Options;

typedef struct {
    uint64_t sent, acked, failed, delivered, completed, lost, repeated, disorder, closed_early;
    uint64_t frames, bytes, reads, other_frames, stalled_closed;
    Histogram each, last, joined, pinged;
} Result;

extern Options options;
extern Result result;
extern Room *rooms;

/* --- load.c, for the wires ---------------------------------------------------------------------- */

void say(Client *client, const char *format, ...) __attribute__((format(printf, 2, 3)));
void joined(Client *client);
void heard(Client *client, uint32_t number); /* a message of ours arrived */
void line(Client *client, int64_t seq);      /* a place in the room's order */
void missed_line(Client *client);            /* one of those asked for by --after */
void acknowledged(void);
void refused(const char *text, size_t size);

/* The number of the message whose text is in here, or 0. */
uint32_t number_in(const char *text, size_t size);

/* --- wires.c ------------------------------------------------------------------------------------ */

typedef struct {
    const char *name, *subprotocol;
    void (*open)(Client *client);                             /* after the WebSocket's handshake */
    void (*take)(Client *client, const char *text, size_t size); /* one text message */
    void (*post)(Client *client, uint32_t number, const char *body);
    void (*catch_up)(Client *client); /* ask for what came after --after; may be NULL */
} Wire;

const Wire *wire_named(const char *name);

#endif
