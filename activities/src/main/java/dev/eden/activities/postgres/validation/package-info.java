@NullMarked
package dev.eden.activities.postgres.validation;

import org.jspecify.annotations.NullMarked;
