package dev.eden.activities.redis;

import java.nio.charset.StandardCharsets;
import java.util.List;

/** One RESP2 reply (Redis protocol specification, "RESP protocol description"). */
public sealed interface Reply {

    /** {@code +OK}. */
    record Simple(String text) implements Reply {}

    /** {@code -CODE message}. */
    record Error(String message) implements Reply {
        /** The first word: {@code ERR}, {@code NOPERM}, {@code BUSYKEY} … */
        public String code() {
            int space = message.indexOf(' ');
            return space < 0 ? message : message.substring(0, space);
        }
    }

    record Int(long value) implements Reply {}

    /** Compares by identity of the array; use {@link #text()} or the bytes. */
    @SuppressWarnings("ArrayRecordComponent")
    record Bulk(byte[] bytes) implements Reply {
        @Override
        public String toString() {
            return "Bulk[" + bytes.length + " bytes]";
        }
    }

    record Array(List<Reply> items) implements Reply {}

    /** Null bulk or null array. */
    record Null() implements Reply {}

    Null NULL = new Null();

    default boolean isError() {
        return this instanceof Error;
    }

    default boolean isNull() {
        return this instanceof Null;
    }

    /** The reply as UTF-8 text; empty for null; throws {@link RedisException} for an error or an array. */
    default String text() {
        return switch (this) {
            case Simple s -> s.text();
            case Int i -> Long.toString(i.value());
            case Bulk b -> new String(b.bytes(), StandardCharsets.UTF_8);
            case Null _ -> "";
            case Error e -> throw new RedisException(e.message());
            case Array _ -> throw new IllegalStateException("an array where text was expected");
        };
    }

    /** The reply as bytes, for bulk strings. */
    default byte[] bytes() {
        return switch (this) {
            case Bulk b -> b.bytes();
            case Simple s -> s.text().getBytes(StandardCharsets.UTF_8);
            case Error e -> throw new RedisException(e.message());
            case Int _, Array _, Null _ -> throw new IllegalStateException("bytes were expected");
        };
    }

    /** The reply as a number, from an integer or a numeric string. */
    default long number() {
        return this instanceof Int i ? i.value() : Long.parseLong(text());
    }

    /** The elements; an empty list for null. */
    default List<Reply> items() {
        return switch (this) {
            case Array a -> a.items();
            case Null _ -> List.of();
            case Error e -> throw new RedisException(e.message());
            case Simple _, Int _, Bulk _ -> throw new IllegalStateException("an array was expected");
        };
    }
}
