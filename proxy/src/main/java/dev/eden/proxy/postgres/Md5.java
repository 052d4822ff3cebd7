package dev.eden.proxy.postgres;

import java.nio.charset.StandardCharsets;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.util.HexFormat;

/** PostgreSQL's md5 authentication: {@code "md5" + md5(md5(password + user) + salt)}; the inner hash is what the server stores. */
final class Md5 {
    private Md5() {}

    /** What a server stores, {@code md5} included. */
    static String stored(String user, String password) {
        return "md5" + hex((password + user).getBytes(StandardCharsets.UTF_8));
    }

    /** The answer to a challenge, from what a server stores. */
    static String answer(String stored, byte[] salt) {
        byte[] hash = stored.substring(3).getBytes(StandardCharsets.US_ASCII);
        byte[] salted = java.util.Arrays.copyOf(hash, hash.length + salt.length);
        System.arraycopy(salt, 0, salted, hash.length, salt.length);
        return "md5" + hex(salted);
    }

    static boolean isStored(String text) {
        return text.length() == 35 && text.startsWith("md5");
    }

    private static String hex(byte[] data) {
        try {
            return HexFormat.of().formatHex(MessageDigest.getInstance("MD5").digest(data));
        } catch (NoSuchAlgorithmException e) {
            throw new IllegalStateException(e);
        }
    }
}
