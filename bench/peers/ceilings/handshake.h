#ifndef HANDSHAKE_H
#define HANDSHAKE_H

/* What a server answers to the Sec-WebSocket-Key of a client, 24 characters (RFC 6455, 4.2.2). */
void accepted(const char *key, char answer[29]);

#endif
