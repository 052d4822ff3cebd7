package dev.eden.proxy.postgres;

/** Bytes that are not the protocol. */
final class ProtocolViolation extends RuntimeException {
    ProtocolViolation(String message) {
        super(message, null, false, false);
    }
}
