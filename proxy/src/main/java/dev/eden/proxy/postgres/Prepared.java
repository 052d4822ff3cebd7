package dev.eden.proxy.postgres;

import io.netty.buffer.ByteBuf;
import io.netty.buffer.Unpooled;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Comparator;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/**
 * A statement by its content (text and parameter types): every client that prepares the same means the same one. What servers have is one {@link Variant} of
 * it for each way to read the text, with the same name on every connection. So a connection keeps what any of its clients prepared.
 */
final class Prepared {
    private static final Set<String> PLANNED =
            Set.of("select", "insert", "update", "delete", "merge", "with", "values", "table");
    private static final int LONGEST_WORD = 10;
    /** Of one statement's variants: who was forgotten is made anew, by another name. */
    private static final int MOST_VARIANTS = 64;

    /** Query text, its zero, the parameter types: the rest of a Parse message after the name. */
    final byte[] body;

    private final StatementText.Effect effect;
    /** The same where backslashes escape in plain literals; null: nobody has asked. */
    private StatementText.@Nullable Effect escaped;

    private final boolean reads;
    private final boolean planned;
    private ReadText.Verdict verdict = ReadText.Verdict.NO_READ;
    private long verdictOf = -1;
    private final Catalogue catalogue;
    private final List<Variant> variants = new ArrayList<>(1);
    private final int hash;
    int references;

    private Prepared(byte[] body, Catalogue catalogue, StatementText.Effect effect) {
        this.body = body;
        this.catalogue = catalogue;
        this.effect = effect;
        this.hash = Arrays.hashCode(body);
        this.reads = ReadText.begins(Unpooled.wrappedBuffer(body), 0, body.length);
        this.planned = planned(new SqlTokens(Unpooled.wrappedBuffer(body), 0, body.length));
    }

    /** What it leaves behind; {@code plainBackslashes}: of the session that reads its text. */
    StatementText.Effect effect(boolean plainBackslashes) {
        if (plainBackslashes) {
            return effect;
        }
        StatementText.Effect known = escaped;
        if (known == null) {
            known = StatementText.classify(Unpooled.wrappedBuffer(body), 0, body.length, false);
            escaped = known;
        }
        return known;
    }

    /** True where its text begins like one that only reads. */
    boolean reads() {
        return reads;
    }

    /** What a catalogue makes of its text; {@code version}: changes with the catalogue. */
    ReadText.Verdict verdict(ReadCatalogue catalogue, long version) {
        if (reads && verdictOf != version) {
            verdict = ReadText.judge(catalogue, Unpooled.wrappedBuffer(body), 0, body.length);
            verdictOf = version;
        }
        return verdict;
    }

    /** What servers have of it where texts are read by these settings. */
    Variant under(Settings reading) {
        for (int i = 0; i < variants.size(); i++) {
            Variant one = variants.get(i);
            if (one.under == reading) {
                return one;
            }
        }
        if (variants.size() == MOST_VARIANTS) {
            variants.removeFirst();
        }
        Variant made = new Variant(this, ++catalogue.numbers, reading);
        variants.add(made);
        return made;
    }

    /** One that nobody else finds. */
    Variant alone() {
        return new Variant(this, ++catalogue.numbers, null);
    }

    /** True where its first word is that of a statement that a server plans. */
    boolean planned() {
        return planned;
    }

    private static boolean planned(SqlTokens text) {
        SqlTokens.Token token = text.next();
        while (token == SqlTokens.Token.OPEN || token == SqlTokens.Token.SEMICOLON) {
            token = text.next();
        }
        return token == SqlTokens.Token.WORD && text.length() <= LONGEST_WORD && PLANNED.contains(text.word());
    }

    /** Of the query text at the beginning of the body, without its zero. */
    int textLength() {
        int length = 0;
        while (length < body.length && body[length] != 0) {
            length++;
        }
        return length;
    }

    boolean hasBody(ByteBuf in, int from, int to) {
        if (to - from != body.length) {
            return false;
        }
        for (int i = 0; i < body.length; i++) {
            if (in.getByte(from + i) != body[i]) {
                return false;
            }
        }
        return true;
    }

    /** A Parse message that makes the statement; by no name where that is empty. */
    void parse(ByteBuf out, byte[] as) {
        out.writeByte('P')
                .writeInt(4 + as.length + 1 + body.length)
                .writeBytes(as)
                .writeByte(0);
        out.writeBytes(body);
    }

    /** All contents that clients of one loop know now. */
    static final class Catalogue {
        private final Map<Key, Prepared> known = new HashMap<>();
        private long numbers;

        private record Key(byte[] body, int hash) {
            @Override
            public boolean equals(Object other) {
                return other instanceof Key(byte[] otherBody, int otherHash)
                        && otherHash == hash
                        && Arrays.equals(otherBody, body);
            }

            @Override
            public int hashCode() {
                return hash;
            }
        }

        /** The statement with this content; counts a reference. */
        Prepared acquire(ByteBuf in, int from, int to) {
            byte[] body = new byte[to - from];
            in.getBytes(from, body);
            Key key = new Key(body, Arrays.hashCode(body));
            Prepared prepared = known.get(key);
            if (prepared == null) {
                prepared = new Prepared(body, this, StatementText.classify(in, from, to, true));
                known.put(key, prepared);
            }
            prepared.references++;
            return prepared;
        }

        void release(Prepared prepared) {
            if (--prepared.references == 0) {
                known.remove(new Key(prepared.body, prepared.hash), prepared);
            }
        }

        /** Puts back what was released a moment ago. */
        void keep(Prepared prepared) {
            known.putIfAbsent(new Key(prepared.body, prepared.hash), prepared);
        }

        int size() {
            return known.size();
        }

        /** Those that most clients have, the shorter ones than {@code longest} bytes. */
        List<Prepared> most(int count, int longest) {
            return known.values().stream()
                    .filter(one -> one.body.length <= longest && one.planned())
                    .sorted(Comparator.comparingInt((Prepared one) -> one.references)
                            .reversed())
                    .limit(count)
                    .toList();
        }
    }
}
