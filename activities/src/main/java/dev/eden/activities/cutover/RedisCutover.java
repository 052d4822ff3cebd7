package dev.eden.activities.cutover;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.json.JsonMapper;
import dev.eden.activities.redis.RedisConnectionException;
import dev.eden.activities.redis.RedisException;
import dev.eden.activities.redis.Reply;
import dev.eden.activities.redis.RespConnection;
import dev.eden.activities.redis.ServerInfo;
import dev.eden.activities.redis.acl.AclSnapshot;
import dev.eden.activities.redis.acl.AclUsers;
import dev.eden.activities.redis.acl.EdenUsers;
import dev.eden.activities.redis.acl.OpenReads;
import dev.eden.activities.redis.replication.ApplierIdentity;
import dev.eden.activities.redis.replication.ServerRun;
import dev.eden.activities.store.Endpoint;
import dev.eden.activities.store.EndpointDirectory;
import dev.eden.activities.store.ReplicationLedger;
import dev.eden.activities.store.RouteLedger.Position;
import dev.eden.activities.store.ServerRecords;
import dev.eden.workflows.MigrationSpec;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Collections;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.concurrent.locks.LockSupport;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * The cutover protocol's server side for Redis 6.2 and later: {@code CLIENT PAUSE … WRITE} stops writes at once, ACL rules keep
 * everybody out for as long as the server is the standby, {@code master_repl_offset} is the position, and deleting the applier's
 * user at the target ends its sessions (Redis documentation: CLIENT PAUSE, ACL SETUSER, ACL DELUSER, Replication).
 */
public final class RedisCutover implements CutoverEngine {
    private static final Logger LOGGER = LoggerFactory.getLogger(RedisCutover.class);
    private static final Duration TIMEOUT = Duration.ofSeconds(2);
    private static final JsonMapper JSON = JsonMapper.builder().build();
    private static final int SAMPLE = 16;
    /** What is asked in the round trip of the fence: the position. */
    private static final List<Object[]> BEHIND_FENCE = Collections.singletonList(new Object[] {"INFO", "replication"});

    /** The undo of an attempt that was aborted while the standby could not be reached. */
    private static final String UNRESTORED = "unrestored:undo";

    private final EndpointDirectory endpoints;
    private final ServerRecords records;

    public RedisCutover(EndpointDirectory endpoints, ServerRecords records) {
        this.endpoints = endpoints;
        this.records = records;
    }

    @Override
    public String name() {
        return "redis";
    }

    @Override
    public Session open(String migration, String from, String to, Others others) {
        RespConnection source = connect(migration, from, others);
        try {
            return new RedisSession(migration, from, to, source, connect(migration, to, others));
        } catch (RuntimeException e) {
            source.close();
            throw e;
        }
    }

    @Override
    public ActiveSide openActive(String migration, String from, String to, Others others) {
        RespConnection source = connect(migration, from, others);
        return new ActiveSide() {
            @Override
            public void restore(String undo) {
                records.put(migration, to, UNRESTORED, undo);
                restoreActive(source, migration, from, Undo.decode(migration, undo));
            }

            @Override
            public void unfence() {
                RedisUsers users = users(migration);
                users.giveBack(source, from, users.stored(from));
                source.call("CLIENT", "UNPAUSE");
            }

            @Override
            public void close() {
                source.close();
            }
        };
    }

    private RedisUsers users(String migration) {
        return new RedisUsers(records, migration);
    }

    private void restoreActive(RespConnection from, String migration, String fromId, Undo undo) {
        kill(from, undo.fromClient(), undo.fromRun());
        users(migration).giveBack(from, fromId, AclSnapshot.decode(undo.fromAcl()));
        from.call("CLIENT", "UNPAUSE");
    }

    private static void restoreStandby(RespConnection to, String migration, Undo undo) {
        kill(to, undo.toClient(), undo.toRun());
        ApplierIdentity.reinstate(to, migration);
    }

    private static void kill(RespConnection connection, long client, String run) {
        if (run.equals(info(connection, "server").get("run_id")) && client != connection.clientId()) {
            connection.ask("CLIENT", "KILL", "ID", client);
        }
    }

    private RespConnection connect(String migration, String endpointId, Others others) {
        Endpoint endpoint = endpoints.endpoint(endpointId);
        RespConnection connection = EdenUsers.loggedIn(
                migration,
                endpoint,
                records,
                login -> RespConnection.connect(endpoint, login, sessionName(migration), TIMEOUT));
        if (others == Others.END) {
            endOthers(connection, migration);
        }
        return connection;
    }

    private static String sessionName(String migration) {
        return "eden:coordinator:" + migration;
    }

    /** Ends control sessions of earlier attempts: a stalled process may not act on a server after its attempt has ended. */
    private static void endOthers(RespConnection connection, String migration) {
        long self = connection.clientId();
        for (Map<String, String> client : clients(connection)) {
            if (sessionName(migration).equals(client.get("name"))
                    && Long.parseLong(client.getOrDefault("id", "0")) != self) {
                connection.ask("CLIENT", "KILL", "ID", client.getOrDefault("id", "0"));
            }
        }
    }

    private static List<Map<String, String>> clients(RespConnection connection) {
        List<Map<String, String>> clients = new ArrayList<>();
        for (String line : connection.call("CLIENT", "LIST").text().split("\n")) {
            Map<String, String> fields = new HashMap<>();
            for (String field : line.strip().split(" ")) {
                int equals = field.indexOf('=');
                if (equals > 0) {
                    fields.put(field.substring(0, equals), field.substring(equals + 1));
                }
            }
            if (!fields.isEmpty()) {
                clients.add(fields);
            }
        }
        return clients;
    }

    private static Map<String, String> info(RespConnection connection, String section) {
        return fields(connection.call("INFO", section).text());
    }

    private static Map<String, String> fields(String info) {
        Map<String, String> fields = new HashMap<>();
        for (String line : info.split("\r\n")) {
            int colon = line.indexOf(':');
            if (colon > 0) {
                fields.put(line.substring(0, colon), line.substring(colon + 1));
            }
        }
        return fields;
    }

    private static Position position(Map<String, String> info) {
        return new Position(
                info.getOrDefault("master_replid", ""), Long.parseLong(info.getOrDefault("master_repl_offset", "-1")));
    }

    /** What an abort needs; JSON inside the encrypted undo. */
    record Undo(long fromClient, String fromRun, long toClient, String toRun, String fromAcl) {
        static Undo decode(String migration, String json) {
            try {
                return JSON.readValue(json, Undo.class);
            } catch (JsonProcessingException e) {
                throw new IllegalStateException("the undo record of " + migration + " cannot be read", e);
            }
        }
    }

    private final class RedisSession implements Session {
        private final String migration;
        private final String fromId;
        private final String toId;
        private final RespConnection from;
        private final RespConnection to;
        private @Nullable AclSnapshot users;
        private List<Reply> behindFence = List.of();
        /** To be compared behind the fence. */
        private List<byte[]> keys = List.of();
        /** {@code TO} evicts: that it lacks a key is no difference. */
        private boolean mayMiss;
        /** Who goes back to a cache does without what that has evicted; a target has to have everything. */
        private boolean back;
        /** Of {@code TO}, read before the pause. */
        private @Nullable AclSnapshot usersThere;

        RedisSession(String migration, String fromId, String toId, RespConnection from, RespConnection to) {
            this.migration = migration;
            this.fromId = fromId;
            this.toId = toId;
            this.from = from;
            this.to = to;
        }

        @Override
        public List<String> blockers(MigrationSpec spec) {
            back = !toId.equals(spec.target());
            ServerInfo there = ServerInfo.read(to, "all");
            List<String> blockers =
                    new ArrayList<>(RedisReadiness.blockers(spec, fromId, ServerInfo.read(from, "all"), toId, there));
            if (records.get(migration, toId, RedisUsers.FINAL_ACL).isEmpty()) {
                blockers.add("the users of " + toId + " are not known yet");
            }
            if (records.get(migration, toId, UNRESTORED).isPresent()) {
                blockers.add(toId + " is still to be restored after an aborted attempt");
            }
            if (!back) {
                Evictions evictions = new Evictions(records, migration);
                evictions.blocker(fromId, toId).ifPresent(blockers::add);
                evictions.lacking(toId, there).ifPresent(blockers::add);
            }
            for (String name : users(migration).leftOut(fromId, from)) {
                blockers.add(fromId + " refused the rules of its user " + name
                        + ", which is kept out: give it rules there, switch it off or delete it");
            }
            return blockers;
        }

        @Override
        public void rehearse() {
            keys = sample();
            BEHIND_FENCE.forEach(from::send);
            from.flush();
            behindFence = from.read(BEHIND_FENCE.size());
            position();
            verify();
            // It is fenced, and stays as it is.
            fenceStandby();
            ApplierIdentity.sessions(to, migration);
        }

        @Override
        public String undo() {
            if (AclUsers.fenced(from)) {
                throw new IllegalStateException("the active side " + fromId + " is fenced already");
            }
            keys = sample();
            AclSnapshot snapshot = AclSnapshot.take(from);
            String acl = snapshot.encode();
            records.put(migration, fromId, RedisUsers.FINAL_ACL, acl);
            ServerRun.remember(from, records, migration, fromId);
            users = snapshot;
            usersThere = users(migration).follow(fromId, snapshot, toId, to);
            ServerInfo here = ServerInfo.read(from, "all");
            ServerInfo there = ServerInfo.read(to, "all");
            Evictions evictions = new Evictions(records, migration);
            evictions.remember(fromId, here);
            mayMiss = evictions.judge(toId, there);
            if (mayMiss && !back) {
                throw new IllegalStateException(Evictions.lacking(toId));
            }
            try {
                return JSON.writeValueAsString(
                        new Undo(from.clientId(), here.text("run_id"), to.clientId(), there.text("run_id"), acl));
            } catch (JsonProcessingException e) {
                throw new IllegalStateException(e);
            }
        }

        @Override
        public void fence(Duration guard) {
            from.send("CLIENT", "PAUSE", guard.toMillis(), "WRITE");
            behindFence = AclUsers.fence(from, Objects.requireNonNull(users, "undo() comes first"), 1, BEHIND_FENCE);
        }

        /** Read in the round trip of the fence, behind its last rule. */
        @Override
        public Position position() {
            return RedisCutover.position(fields(behindFence.getFirst().text()));
        }

        @Override
        public boolean awaitApplied(Position position, Duration atMost) {
            long end = System.nanoTime() + atMost.toNanos();
            while (true) {
                List<Reply> applied = to.call("HMGET", ReplicationLedger.appliedKey(migration), "replid", "offset")
                        .items();
                if (applied.get(0).text().equals(position.replid())
                        && !applied.get(1).isNull()
                        && applied.get(1).number() >= position.offset()) {
                    return true;
                }
                if (System.nanoTime() >= end) {
                    return false;
                }
                LockSupport.parkNanos(300_000);
            }
        }

        @Override
        public List<String> verify() {
            look(from, keys);
            look(to, keys);
            List<Reply> here = from.read(2 * keys.size());
            List<Reply> there = to.read(2 * keys.size());
            int different = 0;
            for (int i = 0; i < keys.size(); i++) {
                String typeHere = here.get(2 * i).text();
                String typeThere = there.get(2 * i).text();
                long ttl = here.get(2 * i + 1).number();
                boolean expiring = ttl >= 0 && ttl < 1_000 || typeHere.equals("none");
                boolean evicted = mayMiss && typeThere.equals("none");
                if (!expiring
                        && !evicted
                        && (!typeHere.equals(typeThere)
                                || Math.abs(ttl - there.get(2 * i + 1).number()) > 1_000)) {
                    different++;
                }
            }
            return different == 0 ? List.of() : List.of(different + " of " + keys.size() + " sampled keys differ");
        }

        /**
         * Before the pause: under {@code CLIENT PAUSE … WRITE} nothing is deleted that has expired, and where the database holds nothing else,
         * {@code RANDOMKEY} of most versions tries for ever and the server answers nobody any more (redis/redis#13863).
         */
        private List<byte[]> sample() {
            for (int i = 0; i < SAMPLE; i++) {
                from.send("RANDOMKEY");
            }
            from.flush();
            List<byte[]> found = new ArrayList<>();
            for (Reply reply : from.read(SAMPLE)) {
                if (reply instanceof Reply.Bulk bulk && !bulk.text().startsWith("eden:{")) {
                    found.add(bulk.bytes());
                }
            }
            return found;
        }

        private static void look(RespConnection connection, List<byte[]> keys) {
            for (byte[] key : keys) {
                connection.send("TYPE", key);
                connection.send("PTTL", key);
            }
            connection.flush();
        }

        @Override
        public Position turn() {
            // The fence on the other side must have outlived all before: a restarted server would have ended this
            // session.
            from.send("PING");
            from.flush();
            Position turn = ApplierIdentity.turn(to, migration);
            from.read().text();
            return turn;
        }

        @Override
        public boolean finishRestore() {
            String undo = records.get(migration, toId, UNRESTORED).orElse(null);
            if (undo == null) {
                return false;
            }
            restoreStandby(to, migration, Undo.decode(migration, undo));
            records.remove(migration, toId, UNRESTORED);
            return true;
        }

        @Override
        public void unfence(Side side) {
            RedisUsers rules = users(migration);
            if (side == Side.FROM) {
                rules.giveBack(from, fromId, rules.stored(fromId));
            } else {
                AclSnapshot known = usersThere;
                rules.giveBack(to, toId, known == null ? rules.stored(toId) : known);
            }
        }

        @Override
        public boolean fenced(Side side) {
            return AclUsers.fenced(side == Side.FROM ? from : to);
        }

        @Override
        public void lookAtRules() {
            OpenReads.look(from, migration, endpoints.endpoint(fromId), records);
        }

        @Override
        public void fenceStandby() {
            AclUsers.fence(to, AclSnapshot.take(to));
        }

        @Override
        public void relax() {
            from.call("CLIENT", "UNPAUSE");
            to.call("CLIENT", "UNPAUSE");
        }

        @Override
        public void persist() {
            persist(from, fromId);
            persist(to, toId);
        }

        private void persist(RespConnection side, String id) {
            try {
                if (AclUsers.fenced(side)) {
                    AclUsers.persistFence(side, users(migration).stored(id));
                } else {
                    AclUsers.persist(side);
                }
            } catch (RedisException | RedisConnectionException e) {
                LOGGER.atWarn()
                        .addKeyValue("migration", migration)
                        .addKeyValue("endpoint", id)
                        .addKeyValue("problem", e.getMessage())
                        .log("the users' file could not be written: after a restart the sweeper has to mend the fence");
            }
        }

        @Override
        public void close() {
            from.close();
            to.close();
        }
    }
}
