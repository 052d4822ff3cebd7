package dev.eden.proxy.postgres;

import io.netty.buffer.ByteBuf;
import java.util.Arrays;
import org.jspecify.annotations.Nullable;

/**
 * The types of a statement's parameters and of its result's columns, as far as a server has said (ParameterDescription, RowDescription). A client that was told
 * them reads and writes values by them ever after. Types made in the database (16384 and up) count as one: another server has them by other numbers.
 */
final class StatementTypes {
    /** {@code FirstNormalObjectId}: from here on objects are users'. */
    private static final int USERS = 16384;

    private static final int[] NONE = {};

    private int @Nullable [] parameters;
    private int @Nullable [] columns;

    enum Agreement {
        YES,
        NO,
        UNKNOWN
    }

    /** True where a value could be misread by what was told. A statement without a result stays one: that is in its text. */
    boolean any() {
        int[] result = columns;
        return parameters != null || result != null && result.length > 0;
    }

    boolean columnsKnown() {
        return columns != null;
    }

    /** A ParameterDescription, from its type byte. */
    void parameters(ByteBuf in, int index) {
        int count = in.getUnsignedShort(index + Message.HEADER);
        int[] types = count == 0 ? NONE : new int[count];
        for (int i = 0; i < count; i++) {
            types[i] = type(in.getInt(index + Message.HEADER + 2 + 4 * i));
        }
        parameters = types;
    }

    /** A RowDescription or NoData, from its type byte. */
    void columns(ByteBuf in, int index, int total) {
        if (in.getByte(index) == 'n') {
            columns = NONE;
            return;
        }
        int count = in.getUnsignedShort(index + Message.HEADER);
        int[] types = new int[count];
        int at = index + Message.HEADER + 2;
        for (int i = 0; i < count; i++) {
            int name = Message.endOfString(in, at, index + total);
            if (name < 0) {
                throw new ProtocolViolation("invalid RowDescription");
            }
            types[i] = type(in.getInt(name + 1 + 4 + 2));
            at = name + 1 + 4 + 2 + 4 + 2 + 4 + 2;
        }
        columns = types;
    }

    private static int type(int oid) {
        return Integer.compareUnsigned(oid, USERS) >= 0 ? USERS : oid;
    }

    /** Whether what a client was told still holds on a server. */
    Agreement with(StatementTypes server) {
        Agreement first = agreement(parameters, server.parameters);
        Agreement second = agreement(columns, server.columns);
        if (first == Agreement.NO || second == Agreement.NO) {
            return Agreement.NO;
        }
        return first == Agreement.UNKNOWN ? first : second;
    }

    private static Agreement agreement(int @Nullable [] told, int @Nullable [] there) {
        if (told == null || told == NONE) {
            return Agreement.YES;
        }
        if (there == null) {
            return Agreement.UNKNOWN;
        }
        return Arrays.equals(told, there) ? Agreement.YES : Agreement.NO;
    }

    /**
     * Whether a Bind message gives or asks for any value in binary form, whose bytes mean nothing without their type; {@code from}: behind the statement's name.
     * True also where the message is not all there.
     */
    static boolean binary(ByteBuf in, int from, int end) {
        int at = from + 2;
        if (at > end) {
            return true;
        }
        int formats = in.getUnsignedShort(from);
        if (at + 2 * formats + 2 > end) {
            return true;
        }
        for (int i = 0; i < formats; i++, at += 2) {
            if (in.getShort(at) != 0) {
                return true;
            }
        }
        int values = in.getUnsignedShort(at);
        at += 2;
        for (int i = 0; i < values; i++) {
            if (at + 4 > end) {
                return true;
            }
            at += 4 + Math.max(0, in.getInt(at));
        }
        if (at + 2 > end) {
            return true;
        }
        int results = in.getUnsignedShort(at);
        at += 2;
        for (int i = 0; i < results; i++, at += 2) {
            if (at + 2 > end || in.getShort(at) != 0) {
                return true;
            }
        }
        return false;
    }
}
