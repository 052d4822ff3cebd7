package dev.eden.proxy.fuzz;

import java.util.Arrays;
import java.util.Random;

/** The ways in which an input is wrong, or right. */
enum Shape {
    VALID {
        @Override
        byte[] make(FuzzedDecoder decoder, Random random) {
            return decoder.sample(random);
        }
    },
    RANDOM {
        @Override
        byte[] make(FuzzedDecoder decoder, Random random) {
            return FuzzedDecoder.random(random, 96);
        }
    },
    RANDOM_FRAMES {
        @Override
        byte[] make(FuzzedDecoder decoder, Random random) {
            byte[] all = decoder.frame(random);
            for (int more = random.nextInt(4); more > 0; more--) {
                all = FuzzedDecoder.replaced(all, all.length, all.length, decoder.frame(random));
            }
            return all;
        }
    },
    MUTATED {
        @Override
        byte[] make(FuzzedDecoder decoder, Random random) {
            byte[] bytes = decoder.sample(random);
            for (int more = random.nextInt(4); more >= 0 && bytes.length > 0; more--) {
                int at = random.nextInt(bytes.length);
                switch (random.nextInt(4)) {
                    case 0 -> bytes[at] = (byte) random.nextInt(256);
                    case 1 -> bytes[at] ^= (byte) (1 << random.nextInt(8));
                    case 2 -> bytes = FuzzedDecoder.replaced(bytes, at, at + 1, new byte[0]);
                    default -> bytes = FuzzedDecoder.replaced(bytes, at, at, FuzzedDecoder.random(random, 5));
                }
            }
            return bytes;
        }
    },
    TRUNCATED {
        @Override
        byte[] make(FuzzedDecoder decoder, Random random) {
            byte[] bytes = decoder.sample(random);
            return Arrays.copyOf(bytes, random.nextInt(bytes.length + 1));
        }
    },
    LENGTH_LIE {
        @Override
        byte[] make(FuzzedDecoder decoder, Random random) {
            return decoder.lie(decoder.sample(random), random.nextInt(64), random);
        }
    },
    LENGTH_HUGE {
        @Override
        byte[] make(FuzzedDecoder decoder, Random random) {
            return decoder.lie(decoder.sample(random), HUGE[random.nextInt(HUGE.length)] - random.nextInt(3), random);
        }
    },
    LENGTH_NEGATIVE {
        @Override
        byte[] make(FuzzedDecoder decoder, Random random) {
            return decoder.lie(
                    decoder.sample(random), -1L - random.nextInt(random.nextBoolean() ? 9 : 1 << 30), random);
        }
    };

    private static final long[] HUGE = {
        0x7fff_ffffL,
        0x4000_0001L,
        0x4000_0000L,
        0x2000_0001L,
        64L << 20,
        16L << 20,
        1L << 20,
        10_000,
        65_536,
        1_048_577
    };

    abstract byte[] make(FuzzedDecoder decoder, Random random);
}
