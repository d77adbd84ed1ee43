/* Log-linear buckets: 64 for each power of two, so a quantile is within 1.6 %. */
#include "load.h"

#include <stdio.h>

enum { PER_OCTAVE = 64, BUCKETS = 2048 };

static uint32_t bucket_of(uint64_t value) {
    if (value < PER_OCTAVE) return (uint32_t)value;
    int octave = 63 - __builtin_clzll(value) - 6; /* 2^6 is PER_OCTAVE */
    uint32_t bucket = (uint32_t)(octave + 1) * PER_OCTAVE + ((value >> octave) & (PER_OCTAVE - 1));
    return bucket < BUCKETS ? bucket : BUCKETS - 1;
}

static double middle_of(uint32_t bucket) {
    if (bucket < PER_OCTAVE) return bucket;
    uint32_t octave = bucket / PER_OCTAVE - 1;
    return ((double)(PER_OCTAVE + bucket % PER_OCTAVE) + 0.5) * (double)(1ull << octave);
}

void histogram_add(Histogram *histogram, uint64_t nanoseconds) {
    uint64_t microseconds = nanoseconds / 1000;
    histogram->buckets[bucket_of(microseconds)]++;
    histogram->count++;
    if (microseconds > histogram->max) histogram->max = microseconds;
}

double histogram_ms(const Histogram *histogram, double quantile) {
    uint64_t seen = 0, wanted = (uint64_t)(quantile * (double)histogram->count + 0.5);
    if (quantile >= 1.0) return (double)histogram->max / 1000.0;
    for (uint32_t bucket = 0; bucket < BUCKETS; bucket++) {
        seen += histogram->buckets[bucket];
        if (seen >= wanted && seen > 0) return middle_of(bucket) / 1000.0;
    }
    return 0.0;
}

void histogram_print(const Histogram *histogram) {
    const char *between = "";
    putchar('[');
    for (uint32_t bucket = 0; bucket < BUCKETS; bucket++) {
        if (histogram->buckets[bucket] == 0) continue;
        printf("%s[%u, %lu]", between, bucket, histogram->buckets[bucket]);
        between = ", ";
    }
    putchar(']');
}
