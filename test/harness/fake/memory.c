/* The kernel's allocators, and other things that a driver takes and gives back. All of them can fail. */
#include <linux/device.h>
#include <linux/gfp.h>
#include <linux/idr.h>
#include <linux/interrupt.h>
#include <linux/slab.h>
#include <linux/version.h>
#include <linux/vmalloc.h>
#include <linux/workqueue.h>
#include "../harness.h"

#if LINUX_VERSION_CODE >= KERNEL_VERSION(6, 10, 0)
#define ALLOCATOR(name) name##_noprof
#else
#define ALLOCATOR(name) name
#endif

#undef __kmalloc
#undef __kmalloc_node
#undef kmem_cache_alloc
#undef vmalloc
#undef vzalloc
#undef vmalloc_user
#undef kstrdup
#undef __get_free_pages
#undef get_zeroed_page
#undef alloc_pages

void *ALLOCATOR(__kmalloc)(size_t size, gfp_t flags)
{
	return host_allocate(size, "kmalloc");
}

void *ALLOCATOR(vmalloc)(unsigned long size)
{
	return host_allocate(size, "vmalloc");
}

void *ALLOCATOR(vzalloc)(unsigned long size)
{
	return host_allocate(size, "vmalloc");
}

void *ALLOCATOR(vmalloc_user)(unsigned long size)
{
	return host_allocate(size, "vmalloc");
}

char *ALLOCATOR(kstrdup)(const char *text, gfp_t flags)
{
	char *copy = host_allocate(strlen(text) + 1, "kmalloc");

	return copy ? strcpy(copy, text) : NULL;
}

/* kasprintf() without its arguments: nothing reads the text. */
char *kasprintf(gfp_t flags, const char *format, ...)
{
	return host_allocate(strlen(format) + 64, "kmalloc");
}

#if LINUX_VERSION_CODE >= KERNEL_VERSION(6, 10, 0)
void *__kmalloc_cache_noprof(struct kmem_cache *cache, gfp_t flags, size_t size)
{
	return host_allocate(size, "kmalloc");
}

void *__kmalloc_large_noprof(size_t size, gfp_t flags)
{
	return host_allocate(size, "kmalloc");
}

void *__kvmalloc_node_noprof(DECL_BUCKET_PARAMS(size, buckets), gfp_t flags, int node)
{
	return host_allocate(size, "kvmalloc");
}

void *__kmalloc_node_noprof(DECL_BUCKET_PARAMS(size, buckets), gfp_t flags, int node)
{
	return host_allocate(size, "kmalloc");
}

void *__kmalloc_cache_node_noprof(struct kmem_cache *cache, gfp_t flags, int node, size_t size)
{
	return host_allocate(size, "kmalloc");
}

unsigned long get_free_pages_noprof(gfp_t flags, unsigned int order)
{
	return (unsigned long)host_allocate(PAGE_SIZE << order, "page");
}

unsigned long get_zeroed_page_noprof(gfp_t flags)
{
	return (unsigned long)host_allocate(PAGE_SIZE, "page");
}
#else
void *kmalloc_trace(struct kmem_cache *cache, gfp_t flags, size_t size)
{
	return host_allocate(size, "kmalloc");
}

void *kmalloc_large(size_t size, gfp_t flags)
{
	return host_allocate(size, "kmalloc");
}

void *__kmalloc_node(size_t size, gfp_t flags, int node)
{
	return host_allocate(size, "kmalloc");
}

void *kmalloc_node_trace(struct kmem_cache *cache, gfp_t flags, int node, size_t size)
{
	return host_allocate(size, "kmalloc");
}

void *kvmalloc_node(size_t size, gfp_t flags, int node)
{
	return host_allocate(size, "kvmalloc");
}

unsigned long __get_free_pages(gfp_t flags, unsigned int order)
{
	return (unsigned long)host_allocate(PAGE_SIZE << order, "page");
}

unsigned long get_zeroed_page(gfp_t flags)
{
	return (unsigned long)host_allocate(PAGE_SIZE, "page");
}
#endif

void kfree(const void *memory)
{
	host_free(memory, "kfree");
}

void kfree_sensitive(const void *memory)
{
	host_wipe(memory);
	host_free(memory, "kfree");
}

void kvfree_sensitive(const void *memory, size_t size)
{
	if (memory)
		memset((void *)memory, 0, size);
	host_free(memory, "kvfree");
}

void kvfree(const void *memory)
{
	host_free(memory, "kvfree");
}

void vfree(const void *memory)
{
	host_free(memory, "vfree");
}

void free_pages(unsigned long address, unsigned int order)
{
	host_free((void *)address, "free_pages");
}

#undef alloc_workqueue
#if LINUX_VERSION_CODE >= KERNEL_VERSION(6, 10, 0) && defined(alloc_workqueue_noprof)
#define alloc_workqueue alloc_workqueue_noprof
#endif
struct workqueue_struct *alloc_workqueue(const char *name, unsigned int flags, int max_active, ...)
{
	return host_allocate(64, "workqueue");
}

void destroy_workqueue(struct workqueue_struct *queue)
{
	host_free(queue, "destroy_workqueue");
}

int ida_alloc_range(struct ida *ida, unsigned int first, unsigned int last, gfp_t flags)
{
	static unsigned int next;

	if (host_fails("ida_alloc"))
		return -ENOSPC;
	host_acquire("a number of an ida", ++next);
	host_event("ida_alloc");
	return next;
}

void ida_free(struct ida *ida, unsigned int number)
{
	host_event("ida_free");
	host_release("a number of an ida", number);
}

int request_threaded_irq(unsigned int irq, irq_handler_t handler, irq_handler_t thread, unsigned long flags, const char *name, void *data)
{
	char text[16];

	if (host_fails("request_irq"))
		return -EBUSY;
	host_acquire("an interrupt", (unsigned long)data);
	host_name(data, "request_irq", text);
	host_event("request_irq%s", text);
	return 0;
}

const void *free_irq(unsigned int irq, void *data)
{
	char text[16];

	host_name(data, "free_irq", text);
	host_event("free_irq%s", text);
	host_release("an interrupt", (unsigned long)data);
	return NULL;
}

/* A reference count that reaches zero twice. */
void refcount_warn_saturate(refcount_t *count, enum refcount_saturation_type type)
{
	host_bug("a reference count saturates");
}
