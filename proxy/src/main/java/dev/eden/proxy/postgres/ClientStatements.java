package dev.eden.proxy.postgres;

import io.netty.buffer.ByteBuf;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.Map;
import java.util.Objects;
import org.jspecify.annotations.Nullable;

/** One client's prepared statements by its own names. A name counts from its ParseComplete on; what an error skipped is taken back. */
final class ClientStatements {
    /** Of an expectation: before it there was no unnamed statement. */
    static final Object NO_UNNAMED = new Object();

    /** A client that never closes what it prepares has this many, and no more. */
    static final int MOST = 10_000;

    static final long MOST_BYTES = 128L << 20;

    private final Prepared.Catalogue catalogue;
    private final int most;
    private final long mostBytes;
    private final Map<String, Entry> named = new HashMap<>();
    private long bytes;
    private byte[] lastName = {};
    private @Nullable Entry last;
    private @Nullable Prepared unnamed;

    /** A statement under a client's name, or ({@code own}) under none of a client's. */
    static final class Entry {
        private final String name;
        private final Prepared statement;
        private final StatementTypes told = new StatementTypes();
        private @Nullable Variant apart;
        private @Nullable Variant variant;
        private int generation;
        private boolean confirmed;
        private boolean closed;

        Entry(String name, Prepared statement) {
            this.name = name;
            this.statement = statement;
        }

        static Entry own(Variant variant) {
            Entry entry = new Entry("", variant.statement);
            entry.parsedAs(variant);
            return entry;
        }

        /** A Parse of this is sent, or would be, if the server did not have it. */
        void parsedAs(Variant as) {
            variant = as;
            generation = as.generation();
        }

        /** What the Parse of this made, or makes. */
        Variant variant() {
            return Objects.requireNonNull(variant);
        }

        /** The client's own, whatever others have parsed. */
        Variant apart() {
            Variant own = apart;
            if (own == null) {
                own = statement.alone();
                apart = own;
            }
            return own;
        }

        boolean hasApart() {
            return apart != null;
        }

        String name() {
            return name;
        }

        Prepared statement() {
            return statement;
        }

        /** What the client has been told of its types. */
        StatementTypes told() {
            return told;
        }

        /** Of the variant when the Parse was sent. */
        int generation() {
            return generation;
        }

        void confirm() {
            confirmed = true;
        }

        boolean confirmed() {
            return confirmed;
        }
    }

    ClientStatements(Prepared.Catalogue catalogue) {
        this(catalogue, MOST, MOST_BYTES);
    }

    ClientStatements(Prepared.Catalogue catalogue, int most, long mostBytes) {
        this.catalogue = catalogue;
        this.most = most;
        this.mostBytes = mostBytes;
    }

    /** Why one more of so many bytes is too much; null: it is not. */
    @Nullable
    ErrorMessage refusal(int length) {
        if (named.size() < most && bytes + length <= mostBytes) {
            return null;
        }
        return ErrorMessage.error(
                        "54000",
                        "eden: this client has prepared " + named.size() + " statements of " + bytes
                                + " bytes, of at most " + most + " and " + mostBytes)
                .hint("Close the statements that are not needed any more, or let the driver cache fewer.");
    }

    /** The name at {@code from}…{@code to} as the client knows it; null when there is none. */
    @Nullable
    Entry find(ByteBuf in, int from, int to) {
        int length = to - from;
        Entry recent = last;
        if (recent != null && lastName.length == length && same(in, from)) {
            return recent;
        }
        Entry entry = named.get(Message.text(in, from, to));
        if (entry != null) {
            lastName = new byte[length];
            in.getBytes(from, lastName);
            last = entry;
        }
        return entry;
    }

    private boolean same(ByteBuf in, int from) {
        for (int i = 0; i < lastName.length; i++) {
            if (in.getByte(from + i) != lastName[i]) {
                return false;
            }
        }
        return true;
    }

    boolean has(String name) {
        return named.containsKey(name);
    }

    @Nullable
    Entry named(String name) {
        return named.get(name);
    }

    @Nullable
    Prepared unnamed() {
        return unnamed;
    }

    /** Remembers the content of an unnamed Parse. */
    Prepared parseUnnamed(ByteBuf in, int from, int to) {
        Prepared before = unnamed;
        if (before != null && before.hasBody(in, from, to)) {
            return before;
        }
        Prepared statement = catalogue.acquire(in, from, to);
        unnamed = statement;
        if (before != null) {
            catalogue.release(before);
        }
        return statement;
    }

    void dropUnnamed() {
        Prepared before = unnamed;
        if (before != null) {
            unnamed = null;
            catalogue.release(before);
        }
    }

    /** What was to replace the unnamed statement was not done; {@code former}: what it is therefore, null: none. */
    void unnamedIs(@Nullable Prepared former) {
        dropUnnamed();
        if (former != null) {
            hold(former);
            unnamed = former;
        }
    }

    private void hold(Prepared released) {
        released.references++;
        catalogue.keep(released);
    }

    Entry parse(String name, ByteBuf in, int from, int to) {
        Entry entry = new Entry(name, catalogue.acquire(in, from, to));
        bytes += entry.statement.body.length;
        Entry before = named.put(name, entry);
        if (before != null) {
            forget(before);
        }
        return entry;
    }

    /** Closes a name; null when there is none. */
    @Nullable
    Entry close(String name) {
        Entry entry = named.remove(name);
        if (entry != null) {
            forget(entry);
            entry.closed = true;
        }
        return entry;
    }

    private void forget(Entry entry) {
        if (last == entry) {
            last = null;
        }
        bytes -= entry.statement.body.length;
        catalogue.release(entry.statement);
    }

    /** An error kept the server (or the proxy, in its stead) from doing what {@code entry} stands for. */
    void skipped(Entry entry) {
        if (entry.name.isEmpty()) {
            return;
        }
        if (entry.closed) {
            Entry now = named.get(entry.name);
            if (entry.confirmed && (now == null || !now.confirmed)) {
                entry.closed = false;
                hold(entry.statement);
                bytes += entry.statement.body.length;
                named.put(entry.name, entry);
                if (now != null) {
                    forget(now); // was to take its place, and is skipped, too
                }
            }
        } else if (!entry.confirmed && named.get(entry.name) == entry) {
            named.remove(entry.name);
            forget(entry);
        }
    }

    void clear() {
        clearNamed();
        dropUnnamed();
    }

    /** DISCARD ALL or DEALLOCATE ALL has run, which leave the unnamed statement alone. */
    void clearNamed() {
        for (Entry entry : new ArrayList<>(named.values())) {
            forget(entry);
        }
        named.clear();
        last = null;
        lastName = new byte[0];
    }

    int size() {
        return named.size();
    }
}
