package dev.eden.proxy.postgres;

import dev.eden.proxy.fuzz.FuzzedDecoder;
import io.netty.buffer.ByteBuf;
import java.nio.charset.StandardCharsets;
import java.util.Random;

/** The texts of statements, which the proxy looks through: words, literals, comments, wherever they are broken off. */
public final class FuzzedTexts extends FuzzedDecoder {
    static final String[] SAMPLES = {
        "SELECT 1",
        "select 'it''s', $tag$ body $tag$, E'\\'', \"na\"\"me\", U&\"d\\0061t\" -- and more",
        "BEGIN; SET LOCAL work_mem = '5MB'; COMMIT",
        "SET SESSION TIME ZONE LOCAL",
        "SET app.tenant = '1'; RESET ALL",
        "SELECT set_config('app.tenant', $1, false), pg_advisory_lock(7) /* a /* nested */ comment */",
        "DO $a$BEGIN EXECUTE $b$SET app.tenant = a$b$; PERFORM set_config('x.y', 'z', false); END$a$",
        "PREPARE p (int) AS SELECT $1 * 2",
        "EXECUTE p(1)",
        "DEALLOCATE PREPARE \"p\"",
        "CREATE TEMPORARY TABLE t (id int); INSERT INTO s.t VALUES (currval('t_id_seq'))",
        "DECLARE c CURSOR WITH HOLD FOR SELECT 1",
        "EXPLAIN (ANALYZE, COSTS off) CREATE TEMP TABLE mine AS SELECT 1",
        "UPDATE ONLY pg_catalog.pg_settings AS s SET setting = 'off' WHERE name = 'enable_seqscan'",
        "DISCARD ALL",
        "LISTEN c; NOTIFY c, 'x'; UNLISTEN *",
        "COPY t FROM STDIN",
    };

    public FuzzedTexts() {
        super("postgres texts", 15);
    }

    @Override
    protected byte[] sample(Random random) {
        String text = SAMPLES[random.nextInt(SAMPLES.length)];
        for (int more = random.nextInt(3); more > 0; more--) {
            text += (random.nextBoolean() ? ";" : " ") + SAMPLES[random.nextInt(SAMPLES.length)];
        }
        return text.getBytes(StandardCharsets.UTF_8);
    }

    @Override
    protected byte[] frame(Random random) {
        String quotes = "'\"$\\/*-;()eEuU&$a0. \n\0";
        StringBuilder text = new StringBuilder();
        for (int more = random.nextInt(40); more >= 0; more--) {
            text.append(quotes.charAt(random.nextInt(quotes.length())));
        }
        return text.toString().getBytes(StandardCharsets.ISO_8859_1);
    }

    /** The length of a text is its message's. */
    @Override
    protected byte[] lie(byte[] valid, long length, Random random) {
        return valid;
    }

    @Override
    protected Verdict read(byte[] input, int[] cuts) {
        ByteBuf in = piece(input, 0, input.length);
        try {
            StatementText.Effect effect = StatementText.classify(in, 0, input.length, true);
            StatementText.Effect escaped = StatementText.classify(in, 0, input.length, false);
            String text = in.toString(StandardCharsets.UTF_8);
            String seen = effect.toString() + escaped + PreparedText.of("p", text, true);
            if (effect.executes() != null || effect.deallocates() != null) {
                ByteBuf out = piece(input, 0, 0);
                try {
                    StatementText.renamed(in, 0, input.length, new byte[] {'s', '1'}, out);
                    seen += out.readableBytes();
                } finally {
                    out.release();
                }
            }
            return new Verdict(Outcome.READ, seen);
        } finally {
            in.release();
        }
    }
}
