package dev.eden.activities.migration;

import dev.eden.activities.cutover.CutoverEngine;
import dev.eden.activities.store.EndpointDirectory;

/** The cutover's server side for either engine: the active endpoint tells which. */
record EndpointEngines(EndpointDirectory endpoints, CutoverEngine redis, CutoverEngine postgres)
        implements CutoverEngine {

    @Override
    public String name() {
        return "any";
    }

    @Override
    public Session open(String migration, String from, String to, Others others) {
        CutoverEngine engine = switch (Engine.of(endpoints.endpoint(from).engine())) {
            case REDIS -> redis;
            case POSTGRES -> postgres;
        };
        return engine.open(migration, from, to, others);
    }
}
