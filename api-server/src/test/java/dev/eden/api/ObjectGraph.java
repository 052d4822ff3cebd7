package dev.eden.api;

import java.lang.reflect.Field;
import java.lang.reflect.Modifier;
import java.nio.charset.StandardCharsets;
import java.util.ArrayDeque;
import java.util.Collection;
import java.util.Collections;
import java.util.Deque;
import java.util.IdentityHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/** All text that can be reached from an object by its fields, private ones too, as far as the JVM lets anyone look and no further than some thousand objects. */
final class ObjectGraph {
    private static final int MOST = 5_000;

    private final Deque<Object> waiting = new ArrayDeque<>();
    private final Set<Object> seen = Collections.newSetFromMap(new IdentityHashMap<>());
    private final StringBuilder text = new StringBuilder();

    private ObjectGraph() {}

    static String text(Object root) {
        ObjectGraph graph = new ObjectGraph();
        graph.add(root);
        for (Object next = graph.waiting.poll();
                next != null && graph.seen.size() < MOST;
                next = graph.waiting.poll()) {
            graph.look(next);
        }
        return graph.text.toString();
    }

    private void add(@Nullable Object object) {
        if (object != null && seen.add(object)) {
            waiting.add(object);
        }
    }

    private void look(Object object) {
        switch (object) {
            case CharSequence found -> line(found);
            case char[] found -> line(new String(found));
            case byte[] found -> line(new String(found, StandardCharsets.ISO_8859_1));
            case Object[] found -> java.util.Arrays.stream(found).limit(MOST).forEach(this::add);
            // Whole other worlds hang on these, none of which is the throwable's.
            case Class<?> _, ClassLoader _, Thread _, Module _, Enum<?> _, org.slf4j.Logger _ -> {}
            case Map<?, ?> found -> {
                found.keySet().forEach(this::add);
                found.values().forEach(this::add);
            }
            case Collection<?> found -> found.forEach(this::add);
            case Optional<?> found -> found.ifPresent(this::add);
            case Throwable found -> {
                line(found.toString());
                add(found.getMessage());
                add(found.getCause());
                List.of(found.getSuppressed()).forEach(this::add);
                fields(found);
            }
            default -> fields(object);
        }
    }

    private void fields(Object object) {
        for (Class<?> type = object.getClass(); type != null; type = type.getSuperclass()) {
            for (Field field : type.getDeclaredFields()) {
                if (!Modifier.isStatic(field.getModifiers())
                        && !field.getType().isPrimitive()
                        && field.trySetAccessible()) {
                    try {
                        add(field.get(object));
                    } catch (IllegalAccessException e) {
                        throw new AssertionError(e);
                    }
                }
            }
        }
    }

    private void line(CharSequence found) {
        text.append(found).append('\n');
    }
}
