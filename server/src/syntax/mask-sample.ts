/** Shows V8 what the mask may meet. */
import { kernelMask } from './mask.ts';

/** A little of all that the mask knows and its scan stumbles over. */
export const MASK_SAMPLE = `/* A comment. */ // Another one, \\
   that goes on.
#if defined(A) /* one
		that goes on */ && B // no
#define B "a string \\" that goes on" \\
	'c' + 1 /* one */ + 2 // and ends
#elif C
#define D(x, ...) x
#else
#error don't
#endif
MODULE_LICENSE("GPL");
struct a {
	DECLARE_BITMAP(b, 1);
	struct_group(c, int d;);
	unsigned int e : 1;
} __packed;
static struct a f = { .e = 1, .b = { [0 ... 1] = 0x1f },
#ifdef C
	.d = 1.5,
#endif
	.
};
static int h(void)
{
	if (b) {
		c();
	return 0;
}
static __init int g(struct a *b, ...) __attribute__((x("y"), /* z */ 'z'))
{
	static DEFINE_MUTEX(c);
	struct a *d __free(kfree) = container_of(b, struct a, d);
	struct a *e __maybe_mine;
	typeof(b) é = offsetof(struct a, d);

	list_for_each_entry(b, &d, e) {
		switch (b->d) {
		case 0 ... 1:
		default:
			if (b) @ return \`b\`;
			else if (# d) goto out;
#ifdef C
			do { b = sizeof(int); } while (0);
#else
			for (;;) b++;
#endif
			b) ]
		}
		scoped_cond_guard(mutex_intr, return -EINTR, &c) { b(c[1](e), 2; }
	}
	if (b &&
#ifdef C
	    d ||
#endif
	    e)
		b->
	return 0;
out:
}
`;

/**
 * Masks the sample. V8 compiles a hot function for what it has seen of it. It throws that away when
 * the first ellipsis or unclosed bracket comes, and later compiles the whole function again. For the
 * large ones of the mask that took several times as long as all masks of a tree of drivers.
 */
export function showSample(): void {
  kernelMask(MASK_SAMPLE.repeat(4));
}
