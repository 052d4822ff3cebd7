@NullMarked
package dev.eden.activities;

import org.jspecify.annotations.NullMarked;
