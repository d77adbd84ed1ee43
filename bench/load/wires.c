/* How each server is spoken to, once the WebSocket is open: the way in, a message, what comes. */
#define _GNU_SOURCE
#include "load.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static bool begins(const char *text, size_t size, const char *with) {
    size_t length = strlen(with);
    return size >= length && memcmp(text, with, length) == 0;
}

static const char *find(const char *text, size_t size, const char *what) {
    return memmem(text, size, what, strlen(what));
}

/* The number after `name`, or -1. */
static int64_t number_after(const char *text, size_t size, const char *name) {
    const char *at = find(text, size, name);
    if (at == NULL) return -1;
    int64_t value = 0;
    for (at += strlen(name); at < text + size && *at >= '0' && *at <= '9'; at++)
        value = value * 10 + (*at - '0');
    return value;
}

static const char *room_of(const Client *client) { return rooms[client->room].name; }

static void take_message(Client *client, const char *text, size_t size) {
    uint32_t number = number_in(text, size);
    if (number > 0) heard(client, number);
    else result.other_frames++;
}

/* --- ours: docs/wire.md ------------------------------------------------------------------------- */

static void chattalk_open(Client *client) {
    if (options.reconnect)
        say(client, "{\"type\":\"subscribe\",\"room\":%s,\"after\":%ld}", room_of(client),
            (long)options.after);
    else
        say(client, "{\"type\":\"subscribe\",\"room\":%s}", room_of(client));
}

static void chattalk_catch_up(Client *client) {
    client->seq = options.after;
    say(client, "{\"type\":\"subscribe\",\"room\":%s,\"after\":%ld}", room_of(client),
        (long)options.after);
}

static void chattalk_event(Client *client, const char *text, size_t size) {
    int64_t seq = number_after(text, size < 80 ? size : 80, "\"seq\":");
    uint32_t number = number_in(text, size);
    line(client, seq);
    if (client->missed < options.missed) missed_line(client);
    if (number > 0) heard(client, number);
}

static void chattalk_take(Client *client, const char *text, size_t size) {
    if (begins(text, size, "{\"type\":\"event\"")) {
        chattalk_event(client, text, size);
    } else if (begins(text, size, "{\"type\":\"ack\"")) {
        acknowledged();
    } else if (begins(text, size, "{\"type\":\"subscribed\"")) {
        client->seq = number_after(text, size, "\"after\":");
        joined(client);
    } else if (begins(text, size, "{\"type\":\"nack\"") ||
               begins(text, size, "{\"type\":\"unsubscribed\"")) {
        refused(text, size);
    } else {
        result.other_frames++;
    }
}

static void chattalk_post(Client *client, uint32_t number, const char *body) {
    say(client,
        "{\"type\":\"send\",\"room\":%s,\"cid\":\"%08x-0000-4000-8000-%012x\",\"body\":\"%s\"}",
        room_of(client), (uint32_t)getpid(), number, body);
}

/* --- plain: {"message": text} on a socket per room, as the tutorial of Channels has it ------------ */

static void plain_catch_up(Client *client) {
    client->told = true;
    say(client, "{\"after\": %ld}", (long)options.after);
}

static void plain_open(Client *client) {
    joined(client);
    if (options.reconnect) plain_catch_up(client);
}

static void plain_take(Client *client, const char *text, size_t size) {
    if (client->told && client->missed < options.missed) missed_line(client);
    else take_message(client, text, size);
}

static void plain_post(Client *client, uint32_t number, const char *body) {
    (void)number;
    say(client, "{\"message\": \"%s\"}", body);
}

/* --- Socket.IO over Engine.IO 4 ------------------------------------------------------------------- */

static void nothing_yet(Client *client) { (void)client; } /* the server speaks first */

static void socketio_take(Client *client, const char *text, size_t size) {
    if (begins(text, size, "42[\"msg\"")) take_message(client, text, size);
    else if (begins(text, size, "42[\"joined\"")) joined(client);
    else if (begins(text, size, "40")) say(client, "42[\"join\",\"room-%s\"]", room_of(client));
    else if (begins(text, size, "0")) say(client, "40");
    else if (begins(text, size, "2")) say(client, "3");
    else refused(text, size);
}

static void socketio_post(Client *client, uint32_t number, const char *body) {
    (void)number;
    say(client, "42[\"msg\",{\"room\":\"room-%s\",\"body\":\"%s\"}]", room_of(client), body);
}

/* --- Centrifugo: JSON commands and replies, several to a frame --------------------------------------- */

static void centrifuge_open(Client *client) {
    if (strcmp(client->credential, "-") == 0) say(client, "{\"id\":1,\"connect\":{}}");
    else say(client, "{\"id\":1,\"connect\":{\"token\":\"%s\"}}", client->credential);
}

static void centrifuge_reply(Client *client, const char *text, size_t size) {
    if (begins(text, size, "{\"push\"")) {
        if (find(text, size, "\"pub\"") != NULL) {
            int64_t offset = number_after(text, size, "\"offset\":");
            if (offset > 0) line(client, offset);
            take_message(client, text, size);
        }
    } else if (find(text, size, "\"error\"") != NULL) {
        refused(text, size);
    } else if (size <= 2) {
        say(client, "{}"); /* its ping */
    } else if (begins(text, size, "{\"id\":1,")) {
        say(client, "{\"id\":2,\"subscribe\":{\"channel\":\"room:%s\"}}", room_of(client));
    } else if (begins(text, size, "{\"id\":2,")) {
        int64_t offset = number_after(text, size, "\"offset\":");
        client->seq = offset > 0 ? offset : 0;
        joined(client);
    } else {
        acknowledged();
    }
}

static void centrifuge_take(Client *client, const char *text, size_t size) {
    while (size > 0) {
        const char *end = memchr(text, '\n', size);
        size_t length = end ? (size_t)(end - text) : size;
        if (length > 0) centrifuge_reply(client, text, length);
        size -= end ? length + 1 : length;
        text += length + 1;
    }
}

static void centrifuge_post(Client *client, uint32_t number, const char *body) {
    say(client, "{\"id\":%u,\"publish\":{\"channel\":\"room:%s\",\"data\":{\"body\":\"%s\"}}}",
        number + 2, room_of(client), body);
}

/* --- XMPP over WebSocket (RFC 7395), rooms by XEP-0045 ------------------------------------------------ */

static void xmpp_open(Client *client) {
    say(client, "<open xmlns='urn:ietf:params:xml:ns:xmpp-framing' to='localhost' version='1.0'/>");
}

static void xmpp_enter(Client *client) {
    say(client,
        "<presence xmlns='jabber:client' to='room%s@conference.localhost/c%u'>"
        "<x xmlns='http://jabber.org/protocol/muc'><history maxstanzas='0'/></x></presence>",
        room_of(client), client->number);
}

static void xmpp_way_in(Client *client, const char *text, size_t size) {
    if (find(text, size, "<success") != NULL) {
        client->step = 1;
        xmpp_open(client);
    } else if (find(text, size, "features") != NULL && client->step == 0) {
        say(client, "<auth xmlns='urn:ietf:params:xml:ns:xmpp-sasl' mechanism='ANONYMOUS'/>");
    } else if (find(text, size, "features") != NULL) {
        say(client, "<iq xmlns='jabber:client' type='set' id='bind'>"
                    "<bind xmlns='urn:ietf:params:xml:ns:xmpp-bind'/></iq>");
    } else if (find(text, size, "urn:ietf:params:xml:ns:xmpp-bind") != NULL) {
        xmpp_enter(client);
    } else if (find(text, size, "<presence") != NULL && find(text, size, "'110'") != NULL) {
        joined(client);
    } else if (find(text, size, "<failure") != NULL || find(text, size, "'error'") != NULL) {
        refused(text, size);
    }
}

static void xmpp_take(Client *client, const char *text, size_t size) {
    if (client->state != JOINED) xmpp_way_in(client, text, size);
    else if (find(text, size, "type='error'") != NULL) refused(text, size);
    else take_message(client, text, size);
}

static void xmpp_post(Client *client, uint32_t number, const char *body) {
    say(client,
        "<message xmlns='jabber:client' to='room%s@conference.localhost' type='groupchat' "
        "id='m%u'><body>%s</body></message>",
        room_of(client), number, body);
}

/* --- all of them --------------------------------------------------------------------------------------- */

static const Wire wires[] = {
    {"chattalk", NULL, chattalk_open, chattalk_take, chattalk_post, chattalk_catch_up},
    {"plain", NULL, plain_open, plain_take, plain_post, plain_catch_up},
    {"socketio", NULL, nothing_yet, socketio_take, socketio_post, NULL},
    {"centrifuge", NULL, centrifuge_open, centrifuge_take, centrifuge_post, NULL},
    {"xmpp", "xmpp", xmpp_open, xmpp_take, xmpp_post, NULL},
};

const Wire *wire_named(const char *name) {
    for (size_t i = 0; i < sizeof wires / sizeof *wires; i++)
        if (strcmp(wires[i].name, name) == 0) return &wires[i];
    return NULL;
}
