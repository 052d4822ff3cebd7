package dev.eden.proxy.postgres;

import dev.eden.proxy.Backend;

/** Which server a connection goes to; credentials apart, so that a changed password keeps the pools. */
record ServerAddress(String endpoint, String host, int port, boolean tls) {
    static ServerAddress of(Backend backend) {
        return new ServerAddress(backend.endpoint(), backend.host(), backend.port(), backend.tls());
    }
}
