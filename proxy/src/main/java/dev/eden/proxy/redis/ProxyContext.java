package dev.eden.proxy.redis;

import dev.eden.proxy.RedisProxyConfig;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.AtomicLong;

/** What the loops of one proxy have in common; touched when connections come and go, never per request. */
final class ProxyContext {
    final RedisProxyConfig config;
    final int loops;
    final Scripts scripts = new Scripts();
    final AtomicInteger clients = new AtomicInteger();
    final AtomicInteger exclusive = new AtomicInteger();
    final AtomicLong clientIds = new AtomicLong();
    final AtomicLong bufferedBytes = new AtomicLong();

    ProxyContext(RedisProxyConfig config, int loops) {
        this.config = config;
        this.loops = loops;
    }
}
