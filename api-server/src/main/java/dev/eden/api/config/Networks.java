package dev.eden.api.config;

import java.net.InetAddress;
import java.util.Arrays;
import java.util.List;

/** Addresses and CIDR blocks, written with commas between them; never looked up by name. */
public record Networks(List<Block> blocks) {
    public static final Networks NONE = new Networks(List.of());

    public Networks {
        blocks = List.copyOf(blocks);
    }

    /** Those whose first {@code bits} are as those of {@code address}. */
    public record Block(InetAddress address, int bits) {
        private static Block parse(String text) {
            int slash = text.indexOf('/');
            InetAddress address = InetAddress.ofLiteral(slash < 0 ? text : text.substring(0, slash));
            int most = address.getAddress().length * 8;
            int bits = slash < 0 ? most : Integer.parseInt(text.substring(slash + 1));
            if (bits < 0 || bits > most) {
                throw new IllegalArgumentException("not a CIDR block: " + text);
            }
            return new Block(address, bits);
        }

        private boolean contains(InetAddress other) {
            byte[] mine = address.getAddress();
            byte[] its = other.getAddress();
            if (mine.length != its.length || Arrays.mismatch(mine, 0, bits / 8, its, 0, bits / 8) >= 0) {
                return false;
            }
            int rest = bits % 8;
            return rest == 0 || (mine[bits / 8] ^ its[bits / 8]) >> (8 - rest) == 0;
        }
    }

    /** Throws {@link IllegalArgumentException}. */
    public static Networks parse(String text) {
        return new Networks(Arrays.stream(text.split(",", -1))
                .map(String::strip)
                .map(Block::parse)
                .toList());
    }

    public boolean contain(InetAddress address) {
        return blocks.stream().anyMatch(block -> block.contains(address));
    }
}
