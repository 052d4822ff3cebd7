package dev.eden.demo.redis;

import dev.eden.demo.load.StillLife;
import java.util.Map;
import java.util.TreeMap;
import redis.clients.jedis.Jedis;
import redis.clients.jedis.params.SetParams;

/** Breaks keys of the target in every way in which a copy can be wrong. Only keys that no load touches: what is found is known. */
final class Damage {
    /** The ways, in the words of Eden's validation report. */
    private enum Way {
        VALUE(1),
        TYPE(0),
        TTL(13),
        MISSING(12),
        EXTRA(-1),
        FIELD(5),
        ORDER(3),
        ENCODING(9);

        private final int sort;

        Way(int sort) {
            this.sort = sort;
        }
    }

    private final StillLife still;

    Damage(StillLife still) {
        this.still = still;
    }

    /** How many keys can be damaged. */
    int most() {
        return (still.count() / StillLife.SORTS) * Way.values().length;
    }

    /** Damages {@code count} keys; gives the way of each by its key. */
    Map<String, String> plant(Jedis target, int count) {
        Map<String, String> planted = new TreeMap<>();
        for (int i = 0; i < count; i++) {
            Way way = Way.values()[i % Way.values().length];
            int round = i / Way.values().length;
            String key = way == Way.EXTRA ? "app:still:extra:" + round : still.key(way.sort + StillLife.SORTS * round);
            damage(target, way, key);
            planted.put(key, way.name().toLowerCase(java.util.Locale.ROOT));
        }
        return planted;
    }

    private static void damage(Jedis target, Way way, String key) {
        switch (way) {
            case VALUE ->
                target.set(key, "not what it was", SetParams.setParams().keepTtl());
            case TYPE -> {
                target.del(key);
                target.sadd(key, "not", "a", "string");
            }
            case TTL -> {
                if (target.persist(key) == 0) {
                    target.pexpire(key, 3_600_000);
                }
            }
            case MISSING -> target.del(key);
            case EXTRA -> target.set(key, "nobody wrote this");
            case FIELD -> target.hset(key, "field3", "another value");
            case ORDER -> {
                String first = target.lindex(key, 0);
                target.lset(key, 0, target.lindex(key, -1));
                target.lset(key, -1, first);
            }
            case ENCODING -> {
                String tooLongForAListpack = "x".repeat(200);
                target.zadd(key, 1, tooLongForAListpack);
                target.zrem(key, tooLongForAListpack);
            }
        }
    }
}
