package dev.eden.proxy.resp;

/** A peer broke the protocol; the message is in Redis' own words where Redis has some. Carries no stack trace: bad input must be cheap. */
public final class ProtocolError extends RuntimeException {
    public ProtocolError(String message) {
        super(message, null, false, false);
    }
}
