package dev.eden.proxy.resp;

import dev.eden.proxy.fuzz.FuzzedDecoder;
import java.util.Random;

/** What speaks RESP, fed with samples, strings of anything and lies about lengths. */
abstract class FuzzedResp extends FuzzedDecoder {
    private final String[] samples;

    FuzzedResp(String name, String[] samples) {
        super(name, 20);
        this.samples = samples;
    }

    @Override
    protected byte[] sample(Random random) {
        return Samples.of(samples, random);
    }

    @Override
    protected byte[] frame(Random random) {
        return Samples.bulks(random);
    }

    @Override
    protected byte[] lie(byte[] valid, long length, Random random) {
        return Samples.lie(valid, length, random);
    }
}
