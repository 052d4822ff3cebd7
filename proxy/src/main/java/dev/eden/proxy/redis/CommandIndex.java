package dev.eden.proxy.redis;

import io.netty.buffer.ByteBuf;
import org.jspecify.annotations.Nullable;

/** A command table laid out for look-up straight from a buffer, without a String per request. */
final class CommandIndex {
    private final CommandTable table;
    private final byte[][] names;
    private final CommandSpec[] specs;

    CommandIndex(CommandTable table) {
        this.table = table;
        int capacity = Integer.highestOneBit(table.all().size() * 4) * 2;
        names = new byte[capacity][];
        specs = new CommandSpec[capacity];
        for (CommandSpec spec : table.all()) {
            if (spec.name().indexOf('|') < 0) {
                add(spec);
            }
        }
    }

    CommandTable table() {
        return table;
    }

    private void add(CommandSpec spec) {
        byte[] name = Ascii.bytes(spec.name());
        int hash = 0;
        for (byte b : name) {
            hash = step(hash, b | 0x20);
        }
        int at = slot(hash);
        while (names[at] != null) {
            at = (at + 1) & (names.length - 1);
        }
        names[at] = name;
        specs[at] = spec;
    }

    private static int step(int hash, int folded) {
        return hash * 31 + folded;
    }

    private int slot(int hash) {
        return (hash ^ (hash >>> 13)) & (names.length - 1);
    }

    /** The command whose name is these bytes, any case; null when unknown. */
    @Nullable
    CommandSpec find(ByteBuf in, int offset, int length) {
        int hash = 0;
        for (int i = 0; i < length; i++) {
            hash = step(hash, in.getByte(offset + i) | 0x20);
        }
        for (int at = slot(hash); ; at = (at + 1) & (names.length - 1)) {
            byte[] name = names[at];
            if (name == null) {
                return null;
            }
            if (name.length == length && same(name, in, offset)) {
                return specs[at];
            }
        }
    }

    private static boolean same(byte[] name, ByteBuf in, int offset) {
        for (int i = 0; i < name.length; i++) {
            byte b = in.getByte(offset + i);
            if (name[i] != (b >= 'A' && b <= 'Z' ? b | 0x20 : b)) {
                return false;
            }
        }
        return true;
    }
}
