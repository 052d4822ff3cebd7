package dev.eden.proxy.resp;

import io.netty.buffer.ByteBuf;

/**
 * Finds where a server's reply ends, RESP2 and RESP3. Resumable in the middle of anything: every byte is looked at once (bodies are
 * jumped over) and nothing has to be kept, so a reply can be passed on while it arrives. Attributes ({@code |}) belong to the reply
 * that follows them. One per connection, reused.
 */
public final class ReplyScanner {
    private static final int MAX_DEPTH = 128;
    /** No length is longer, and twice as much still fits into a long. */
    private static final int MAX_DIGITS = 18;

    private enum State {
        TYPE,
        LINE,
        NUMBER,
        BODY
    }

    private final long[] left = new long[MAX_DEPTH];
    private final boolean[] attribute = new boolean[MAX_DEPTH];
    private int depth;

    private State state = State.TYPE;
    private byte type;
    private byte first;
    private boolean started;
    private boolean complete;

    private long number;
    private int digits;
    private boolean negative;
    private long body;

    /** True before the first byte of a top-level reply. */
    public boolean atStart() {
        return !started;
    }

    /** True when the last {@link #scan} stopped because a whole top-level reply ended there. */
    public boolean complete() {
        return complete;
    }

    /** The type byte of the current or last top-level reply: {@code -} and {@code !} are errors, {@code >} is a push; attributes are passed over. */
    public byte type() {
        return first;
    }

    /** Scans {@code [from, to)} up to the end of the current reply; answers the index after the last byte looked at. */
    public int scan(ByteBuf in, int from, int to) {
        int at = from;
        complete = false;
        while (at < to) {
            switch (state) {
                case TYPE -> begin(in.getByte(at++));
                case LINE -> {
                    int end = in.indexOf(at, to, (byte) '\n');
                    if (end < 0) {
                        return to;
                    }
                    at = end + 1;
                    element();
                }
                case NUMBER -> {
                    byte b = in.getByte(at++);
                    if (b == '\n') {
                        header();
                    } else if (b >= '0' && b <= '9') {
                        if (++digits > MAX_DIGITS) {
                            throw new ProtocolError("number too long in reply");
                        }
                        number = number * 10 + (b - '0');
                    } else if (b == '-' && digits == 0) {
                        negative = true;
                    } else if (b != '\r') {
                        throw new ProtocolError("unexpected byte in a reply's header");
                    }
                }
                case BODY -> {
                    long take = Math.min(body, to - at);
                    at += (int) take;
                    body -= take;
                    if (body == 0) {
                        element();
                    }
                }
            }
            if (complete) {
                return at;
            }
        }
        return at;
    }

    private void begin(byte b) {
        type = b;
        if (!started) {
            started = true;
            first = b;
        } else if (depth == 0) {
            first = b; // after attributes
        }
        switch (b) {
            case '+', '-', ':', '_', ',', '#', '(' -> state = State.LINE;
            case '$', '!', '=', '*', '~', '%', '>', '|' -> {
                state = State.NUMBER;
                number = 0;
                digits = 0;
                negative = false;
            }
            default -> throw new ProtocolError("unexpected reply type byte " + b);
        }
    }

    private void header() {
        if (digits == 0) {
            throw new ProtocolError("reply header without a number");
        }
        state = State.TYPE;
        switch (type) {
            case '$', '!', '=' -> {
                if (negative) {
                    element();
                } else {
                    body = number + 2;
                    state = State.BODY;
                }
            }
            case '*', '~', '>' -> aggregate(number, false);
            case '%' -> aggregate(number * 2, false);
            default -> aggregate(number * 2, true);
        }
    }

    private void aggregate(long elements, boolean isAttribute) {
        if (negative || elements == 0) {
            if (!isAttribute) {
                element();
            }
            return;
        }
        if (depth == MAX_DEPTH) {
            throw new ProtocolError("reply nested too deeply");
        }
        left[depth] = elements;
        attribute[depth] = isAttribute;
        depth++;
    }

    private void element() {
        state = State.TYPE;
        while (depth > 0) {
            if (--left[depth - 1] > 0) {
                return;
            }
            depth--;
            if (attribute[depth]) {
                return;
            }
        }
        complete = true;
        started = false;
    }
}
