/* The handshake's digest: base64(SHA-1(key + a fixed text)). */
#include "handshake.h"

#include <stdint.h>
#include <string.h>

#define FIXED "258EAFA5-E914-47DA-95CA-C5AB0DC85B11"
#define KEY 24
#define TEXT (KEY + sizeof FIXED - 1) /* 60 bytes: with its padding, two blocks */

static uint32_t turned(uint32_t word, int bits) { return word << bits | word >> (32 - bits); }

static void sha1_block(uint32_t state[5], const uint8_t *block) {
    uint32_t w[80], a = state[0], b = state[1], c = state[2], d = state[3], e = state[4];
    for (int i = 0; i < 80; i++)
        w[i] = i < 16 ? (uint32_t)block[4 * i] << 24 | (uint32_t)block[4 * i + 1] << 16 |
                            (uint32_t)block[4 * i + 2] << 8 | block[4 * i + 3]
                      : turned(w[i - 3] ^ w[i - 8] ^ w[i - 14] ^ w[i - 16], 1);
    for (int i = 0; i < 80; i++) {
        uint32_t f = i < 20   ? ((b & c) | (~b & d)) + 0x5A827999
                     : i < 40 ? (b ^ c ^ d) + 0x6ED9EBA1
                     : i < 60 ? ((b & c) | (b & d) | (c & d)) + 0x8F1BBCDC
                              : (b ^ c ^ d) + 0xCA62C1D6;
        uint32_t next = turned(a, 5) + f + e + w[i];
        e = d, d = c, c = turned(b, 30), b = a, a = next;
    }
    state[0] += a, state[1] += b, state[2] += c, state[3] += d, state[4] += e;
}

static void sha1(const char *text, uint8_t digest[20]) {
    uint32_t state[5] = {0x67452301, 0xEFCDAB89, 0x98BADCFE, 0x10325476, 0xC3D2E1F0};
    uint8_t blocks[128] = {0};
    memcpy(blocks, text, TEXT);
    blocks[TEXT] = 0x80;
    blocks[126] = (uint8_t)(TEXT * 8 >> 8);
    blocks[127] = (uint8_t)(TEXT * 8);
    sha1_block(state, blocks);
    sha1_block(state, blocks + 64);
    for (int i = 0; i < 20; i++) digest[i] = (uint8_t)(state[i / 4] >> (24 - 8 * (i % 4)));
}

static void base64_of_20(const uint8_t digest[20], char text[29]) {
    static const char digits[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    uint8_t padded[21] = {0};
    memcpy(padded, digest, 20);
    for (int i = 0; i < 7; i++) {
        uint32_t three = (uint32_t)padded[3 * i] << 16 | padded[3 * i + 1] << 8 | padded[3 * i + 2];
        for (int j = 0; j < 4; j++) text[4 * i + j] = digits[three >> (18 - 6 * j) & 63];
    }
    text[27] = '=';
    text[28] = 0;
}

void accepted(const char *key, char answer[29]) {
    char text[TEXT + 1];
    uint8_t digest[20];
    memcpy(text, key, KEY);
    memcpy(text + KEY, FIXED, sizeof FIXED);
    sha1(text, digest);
    base64_of_20(digest, answer);
}
