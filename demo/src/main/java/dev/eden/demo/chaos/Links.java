package dev.eden.demo.chaos;

import dev.eden.demo.Cluster;
import dev.eden.demo.DemoException;
import dev.eden.demo.Link;
import java.util.ArrayList;
import java.util.List;

/** Which links a partition cuts. */
final class Links {
    private final Cluster cluster;

    Links(Cluster cluster) {
        this.cluster = cluster;
    }

    /** @param standbyIsTarget which database follows */
    List<Link> of(Victim victim, boolean standbyIsTarget) {
        return switch (victim) {
            case Node node -> toEden(node);
            case Way way ->
                way == Way.OWNER_STANDBY
                        ? List.of(cluster.dataLink(false), cluster.dataLink(true))
                        : List.of(cluster.dataLink(way.process().label(), way.toOwner() != standbyIsTarget));
        };
    }

    private List<Link> toEden(Node node) {
        return switch (node) {
            case SERVER, PROXY_1, PROXY_2, PROXY_3, TEMPORAL -> cluster.links(node.label());
            case STORE ->
                eden().stream()
                        .flatMap(each -> cluster.links(each.label()).stream().limit(1))
                        .toList();
            case STANDBY -> throw new DemoException("the standby has no link to Eden's store that can be cut");
        };
    }

    /** Eden's own processes. */
    List<Node> eden() {
        List<Node> all = new ArrayList<>(Node.proxies(cluster.proxyCount()));
        all.addFirst(Node.SERVER);
        return all;
    }
}
