package dev.eden.api.rest;

import dev.eden.api.problem.ErrorCode;
import dev.eden.api.problem.Problem;
import jakarta.ws.rs.Priorities;
import jakarta.ws.rs.QueryParam;
import jakarta.ws.rs.container.ContainerRequestFilter;
import jakarta.ws.rs.container.DynamicFeature;
import jakarta.ws.rs.container.ResourceInfo;
import jakarta.ws.rs.core.FeatureContext;
import java.lang.reflect.Method;
import java.lang.reflect.Parameter;
import java.util.Arrays;
import java.util.Set;
import java.util.TreeSet;
import java.util.stream.Collectors;

/**
 * Refuses query parameters that a resource's method does not declare: a misspelt filter that is ignored answers another question than the
 * one that was asked. Runs after the role's check, so that only those who may ask learn what can be asked, and before the idempotency key
 * is taken.
 */
final class QueryParameters implements DynamicFeature {
    private static final int LONGEST_SHOWN = 40;

    @Override
    public void configure(ResourceInfo resource, FeatureContext context) {
        if (resource.getResourceMethod().isAnnotationPresent(Answers.class)) {
            Set<String> known = of(resource.getResourceMethod());
            ContainerRequestFilter filter = request ->
                    refuseUnknown(request.getUriInfo().getQueryParameters().keySet(), known);
            context.register(filter, Priorities.AUTHORIZATION + 50);
        }
    }

    /** The names that a method declares by {@link QueryParam}. */
    static Set<String> of(Method method) {
        return Arrays.stream(method.getParameters())
                .filter(parameter -> parameter.isAnnotationPresent(QueryParam.class))
                .map(QueryParameters::name)
                .collect(Collectors.toCollection(TreeSet::new));
    }

    private static String name(Parameter parameter) {
        return parameter.getAnnotation(QueryParam.class).value();
    }

    private static void refuseUnknown(Set<String> given, Set<String> known) {
        Set<String> unknown = new TreeSet<>(given);
        unknown.removeAll(known);
        if (!unknown.isEmpty()) {
            String names = unknown.stream().map(QueryParameters::shown).collect(Collectors.joining(", "));
            throw new Problem(
                    ErrorCode.BAD_REQUEST,
                    (unknown.size() == 1 ? "there is no query parameter " : "there are no query parameters ") + names
                            + "; "
                            + (known.isEmpty()
                                    ? "this path takes none with this method"
                                    : "known here: " + String.join(", ", known)));
        }
    }

    /** What a caller made up, for a log and a terminal. */
    private static String shown(String name) {
        String plain = name.replaceAll("[^\\x21-\\x7e]", "?");
        return plain.isEmpty()
                ? "''"
                : plain.length() > LONGEST_SHOWN ? plain.substring(0, LONGEST_SHOWN) + "…" : plain;
    }
}
