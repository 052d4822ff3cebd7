package dev.eden.activities.migration;

import dev.eden.activities.cutover.CutoverEngine;
import dev.eden.activities.cutover.RedisCutover;
import dev.eden.activities.postgres.cutover.PostgresCutover;
import dev.eden.activities.store.EndpointDirectory;
import dev.eden.activities.store.ServerRecords;

/** The cutover's server side for either engine: the active endpoint tells which. */
public record EndpointEngines(EndpointDirectory endpoints, CutoverEngine redis, CutoverEngine postgres)
        implements CutoverEngine {

    public static EndpointEngines of(EndpointDirectory endpoints, ServerRecords records) {
        return new EndpointEngines(
                endpoints, new RedisCutover(endpoints, records), new PostgresCutover(endpoints, records));
    }

    @Override
    public String name() {
        return "any";
    }

    @Override
    public Session open(String migration, String from, String to, Others others) {
        return of(from).open(migration, from, to, others);
    }

    @Override
    public ActiveSide openActive(String migration, String from, String to, Others others) {
        return of(from).openActive(migration, from, to, others);
    }

    private CutoverEngine of(String endpoint) {
        return switch (Engine.of(endpoints.endpoint(endpoint).engine())) {
            case REDIS -> redis;
            case POSTGRES -> postgres;
        };
    }
}
