package dev.eden.activities.redis.acl;

import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;

/**
 * One line of {@code ACL LIST} (Redis documentation, "ACL LIST"): the rules are arguments of {@code ACL SETUSER} as they stand, a
 * selector in parentheses being one of them. Text is ISO-8859-1, so that key patterns of any bytes survive.
 */
public record AclUser(String name, List<String> rules) {

    /** What a fenced user may still do: enough for a proxy's handshake, no data, no administration. */
    static final List<String> HARMLESS = List.of(
            "+ping",
            "+echo",
            "+hello",
            "+auth",
            "+reset",
            "+select",
            "+client|setname",
            "+client|getname",
            "+client|id",
            "+command");

    static AclUser parse(String line) {
        List<String> words = new ArrayList<>();
        StringBuilder selector = null;
        for (String word : line.strip().split(" ")) {
            if (selector != null) {
                selector.append(' ').append(word);
            } else if (word.startsWith("(")) {
                selector = new StringBuilder(word);
            } else {
                words.add(word);
            }
            if (selector != null && word.endsWith(")")) {
                words.add(selector.toString());
                selector = null;
            }
        }
        if (words.size() < 2 || !words.getFirst().equals("user") || selector != null) {
            throw new IllegalArgumentException("not a line of ACL LIST");
        }
        return new AclUser(words.get(1), List.copyOf(words.subList(2, words.size())));
    }

    /** {@code user NAME rules…}, as the server listed it. */
    String line() {
        return "user " + name + (rules.isEmpty() ? "" : " " + String.join(" ", rules));
    }

    /**
     * True where the user can do nothing but the harmless few (Redis 6.2 lists them as {@code +@connection -client …}), or is a {@code default} that
     * nobody can be: see {@link AclUsers#persistFence}.
     */
    public boolean fenced() {
        if (name.equals("default") && !on()) {
            return true;
        }
        boolean commandsOfClientTakenOut = rules.contains("-client");
        for (String rule : rules) {
            boolean grants = rule.startsWith("+") || rule.startsWith("(") || rule.equals("allcommands");
            boolean connection62 = rule.equals("+@connection") && commandsOfClientTakenOut;
            if (grants && !connection62 && !HARMLESS.contains(rule)) {
                return false;
            }
        }
        return true;
    }

    /** True where no command and no key is kept from the user, switched on or not. */
    public boolean unrestricted() {
        return rules.contains("~*")
                && rules.contains("+@all")
                && rules.stream().noneMatch(rule -> rule.startsWith("-"));
    }

    /** True where anybody is this user without a password, and nothing is kept from it. */
    public boolean openToAll() {
        return on() && rules.contains("nopass") && unrestricted();
    }

    public boolean on() {
        return rules.contains("on");
    }

    /** The rules that {@code ACL SETUSER} needs to make exactly this user, whatever it is now. Not {@code reset}: that leaves a flag behind that was not there. */
    List<byte[]> definition(boolean selectors) {
        List<String> all = new ArrayList<>(List.of("off", "resetpass", "resetkeys", "resetchannels"));
        if (selectors) {
            all.add("clearselectors");
        }
        all.add("-@all");
        all.addAll(rules);
        return all.stream().map(AclUser::raw).toList();
    }

    /** The rules that take everything but the harmless few away; keys, channels and passwords stay. */
    static List<byte[]> fence(boolean selectors) {
        List<String> all = new ArrayList<>();
        if (selectors) {
            all.add("clearselectors");
        }
        all.add("-@all");
        all.addAll(HARMLESS);
        return all.stream().map(AclUser::raw).toList();
    }

    static byte[] raw(String text) {
        return text.getBytes(StandardCharsets.ISO_8859_1);
    }

    @Override
    public String toString() {
        return "AclUser[" + name + "]";
    }
}
