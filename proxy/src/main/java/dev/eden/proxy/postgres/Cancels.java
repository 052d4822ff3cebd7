package dev.eden.proxy.postgres;

import dev.eden.proxy.CancelKey;
import java.nio.ByteBuffer;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.security.SecureRandom;
import java.util.HexFormat;
import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;
import org.jspecify.annotations.Nullable;

/**
 * The keys with which clients cancel: the proxy's own, so that a key means a client and not a connection to a server, which changes hands. The first
 * bits of the process id name the proxy, but where a server's session is the client's alone it is the process of that, as tools expect that compare it
 * with what the server shows. Shared by the loops.
 */
final class Cancels {
    private static final SecureRandom RANDOM = new SecureRandom();
    private static final int OWN_BITS = 20;

    private final int proxy;
    private final Map<Integer, Entry> clients = new ConcurrentHashMap<>();

    private record Entry(ClientSession client, byte[] secret) {}

    /** What a client shows in a CancelRequest; 4 bytes in protocol 3.0, 32 from 3.2 on. */
    record Key(int pid, byte[] secret) {}

    Cancels(String proxyName) {
        proxy = (proxyName.hashCode() * 0x9E3779B9) >>> OWN_BITS & 0x7ff;
    }

    /** {@code backend}: the server's process id of the client's own session; 0: it has none. */
    Key register(ClientSession client, boolean longKey, int backend) {
        byte[] secret = new byte[longKey ? 32 : 4];
        RANDOM.nextBytes(secret);
        // It may be another client's, from before a flip.
        if (backend != 0 && clients.putIfAbsent(backend, new Entry(client, secret)) == null) {
            return new Key(backend, secret);
        }
        while (true) {
            int pid = proxy << OWN_BITS | RANDOM.nextInt(1, 1 << OWN_BITS);
            if (clients.putIfAbsent(pid, new Entry(client, secret)) == null) {
                return new Key(pid, secret);
            }
        }
    }

    void forget(int pid) {
        clients.remove(pid);
    }

    /** A key as other proxies are told of it. */
    static CancelKey told(int pid, byte[] secret) {
        try {
            MessageDigest sha = MessageDigest.getInstance("SHA-256");
            sha.update(ByteBuffer.allocate(4).putInt(pid).array());
            return new CancelKey(pid, HexFormat.of().formatHex(sha.digest(secret)));
        } catch (NoSuchAlgorithmException e) {
            throw new IllegalStateException(e);
        }
    }

    /** Whose key this is; null when it is nobody's here. */
    @Nullable
    ClientSession find(CancelKey key) {
        Entry entry = clients.get(key.pid());
        return entry != null && told(key.pid(), entry.secret()).equals(key) ? entry.client() : null;
    }

    /** Whose key this is; null when it is nobody's here. */
    @Nullable
    ClientSession find(int pid, byte[] secret) {
        Entry entry = clients.get(pid);
        return entry != null && MessageDigest.isEqual(entry.secret(), secret) ? entry.client() : null;
    }
}
