package dev.eden.activities.redis.replication;

import dev.eden.activities.redis.Reply;
import java.util.ArrayList;
import java.util.List;
import java.util.NavigableMap;
import java.util.TreeMap;

/**
 * A stream as commands: its entries, groups, consumers and what they have not acknowledged. Entries that were deleted before they were acknowledged
 * are there for as long as it takes to claim them: a server from 7.0 on lets nobody claim what is not there. When a consumer was
 * seen last is not kept.
 */
final class StreamCommands {
    private final byte[] key;
    private final boolean counts;

    /** {@code counts}: the written server remembers how many entries a stream ever had (from 7.0 on). */
    StreamCommands(byte[] key, boolean counts) {
        this.key = key;
        this.counts = counts;
    }

    private record Id(long time, long number) implements Comparable<Id> {
        static Id of(String text) {
            int dash = text.indexOf('-');
            return new Id(
                    Long.parseUnsignedLong(text.substring(0, dash)), Long.parseUnsignedLong(text.substring(dash + 1)));
        }

        @Override
        public int compareTo(Id other) {
            int order = Long.compareUnsigned(time, other.time);
            return order != 0 ? order : Long.compareUnsigned(number, other.number);
        }

        @Override
        public String toString() {
            return Long.toUnsignedString(time) + "-" + Long.toUnsignedString(number);
        }
    }

    /** {@code full}: the answer to {@code XINFO STREAM key FULL COUNT 0}. */
    void add(Reply full, List<Object[]> writes) {
        List<Reply> groups = field(full, "groups").items();
        NavigableMap<Id, Reply> entries = new TreeMap<>();
        for (Reply entry : field(full, "entries").items()) {
            entries.put(Id.of(entry.items().get(0).text()), entry.items().get(1));
        }
        NavigableMap<Id, Reply> all = new TreeMap<>(entries);
        for (Reply group : groups) {
            for (Reply pending : pending(group)) {
                all.putIfAbsent(Id.of(pending.items().get(0).text()), Reply.NULL);
            }
        }
        if (all.isEmpty()) {
            writes.add(new Object[] {"XGROUP", "CREATE", key, "eden", "0", "MKSTREAM"});
            writes.add(new Object[] {"XGROUP", "DESTROY", key, "eden"});
        }
        all.forEach((id, fields) -> writes.add(entry(id, fields)));
        for (Reply group : groups) {
            group(group, writes);
        }
        takeAway(all, entries, writes);
        writes.add(position(full));
    }

    private Object[] entry(Id id, Reply fields) {
        List<Object> command = new ArrayList<>(List.of("XADD", key, id.toString()));
        if (fields.isNull()) {
            command.addAll(List.of("deleted", ""));
        } else {
            fields.items().forEach(field -> command.add(field.bytes()));
        }
        return command.toArray();
    }

    private void group(Reply group, List<Object[]> writes) {
        byte[] name = field(group, "name").bytes();
        List<Object> create = new ArrayList<>(List.of(
                "XGROUP", "CREATE", key, name, field(group, "last-delivered-id").text()));
        Reply read = field(group, "entries-read");
        if (counts && !read.isNull()) {
            create.addAll(List.of("ENTRIESREAD", read.number()));
        }
        writes.add(create.toArray());
        for (Reply consumer : field(group, "consumers").items()) {
            writes.add(new Object[] {
                "XGROUP", "CREATECONSUMER", key, name, field(consumer, "name").bytes()
            });
        }
        for (Reply pending : pending(group)) {
            List<Reply> one = pending.items();
            writes.add(new Object[] {
                "XCLAIM",
                key,
                name,
                one.get(1).bytes(),
                0,
                one.get(0).text(),
                "TIME",
                one.get(2).number(),
                "RETRYCOUNT",
                one.get(3).number(),
                "FORCE",
                "JUSTID"
            });
        }
    }

    /** Trimmed off where they stand before all others: that leaves no trace as a deletion does. */
    private void takeAway(NavigableMap<Id, Reply> all, NavigableMap<Id, Reply> entries, List<Object[]> writes) {
        if (all.size() == entries.size()) {
            return;
        }
        if (entries.isEmpty()) {
            writes.add(new Object[] {"XTRIM", key, "MAXLEN", 0});
            return;
        }
        writes.add(new Object[] {"XTRIM", key, "MINID", entries.firstKey().toString()});
        for (Id id : all.tailMap(entries.firstKey()).keySet()) {
            if (!entries.containsKey(id)) {
                writes.add(new Object[] {"XDEL", key, id.toString()});
            }
        }
    }

    private Object[] position(Reply full) {
        List<Object> command = new ArrayList<>(
                List.of("XSETID", key, field(full, "last-generated-id").text()));
        Reply added = field(full, "entries-added");
        if (counts && !added.isNull()) {
            command.addAll(List.of(
                    "ENTRIESADDED",
                    added.number(),
                    "MAXDELETEDID",
                    field(full, "max-deleted-entry-id").text()));
        }
        return command.toArray();
    }

    private static List<Reply> pending(Reply group) {
        List<Reply> pending = field(group, "pending").items();
        if (pending.size() != field(group, "pel-count").number()) {
            throw new ReplicationStopped("what a group of a stream has not acknowledged can't be read");
        }
        return pending;
    }

    private static Reply field(Reply pairs, String name) {
        List<Reply> items = pairs.items();
        for (int i = 0; i + 1 < items.size(); i += 2) {
            if (items.get(i).text().equals(name)) {
                return items.get(i + 1);
            }
        }
        return Reply.NULL;
    }
}
