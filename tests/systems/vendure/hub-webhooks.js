'use strict';
// What a Vendure shop needs to send webhooks, which it has none of: each event becomes a job of Vendure's own queue, and
// the job posts the order as JSON, signed as Standard Webhooks says. What is posted is in the shape of the Order of
// Vendure's GraphQL API, money in whole minor units, so that a mapping of it also reads what that API answers.
const { createHmac, randomUUID } = require('node:crypto');
const { Inject } = require('@nestjs/common');
const core = require('@vendure/core');

const RETRIES = 30;
const RELATIONS = [
    'customer', 'lines', 'lines.productVariant', 'surcharges', 'shippingLines', 'shippingLines.shippingMethod', 'payments',
];

class HubWebhooks {
    constructor(eventBus, jobQueueService, orderService) {
        Object.assign(this, { eventBus, jobQueueService, orderService });
    }

    static init(options) {
        HubWebhooks.options = options; // {url, secret: 'whsec_…'}
        return HubWebhooks;
    }

    async onApplicationBootstrap() {
        this.queue = await this.jobQueueService.createQueue({
            name: 'hub-webhooks',
            process: job => post(HubWebhooks.options, job.data),
        });
        this.on(core.OrderPlacedEvent, () => 'order.placed');
        this.on(core.OrderStateTransitionEvent, event => `order.${kebab(event.toState)}`);
    }

    on(kind, typeOf) {
        this.eventBus.ofType(kind).subscribe(async event => {
            if (!HubWebhooks.options || event.toState === 'AddingItems' || event.toState === 'ArrangingPayment') return;
            const order = await this.orderService.findOne(event.ctx, event.order.id, RELATIONS);
            const body = { type: typeOf(event), timestamp: new Date().toISOString(), data: { order: shape(order) } };
            await this.queue.add({ id: `evt_${randomUUID()}`, body: JSON.stringify(body) }, { retries: RETRIES });
        });
    }
}

for (const [position, service] of [core.EventBus, core.JobQueueService, core.OrderService].entries()) {
    Inject(service)(HubWebhooks, undefined, position);
}
core.VendurePlugin({ imports: [core.PluginCommonModule], compatibility: '^3.0.0' })(HubWebhooks);

async function post({ url, secret }, { id, body }) {
    const timestamp = String(Math.floor(Date.now() / 1000));
    const key = Buffer.from(secret.replace(/^whsec_/, ''), 'base64');
    const signature = createHmac('sha256', key).update(`${id}.${timestamp}.${body}`).digest('base64');
    const headers = {
        'Content-Type': 'application/json',
        'webhook-id': id, 'webhook-timestamp': timestamp, 'webhook-signature': `v1,${signature}`,
    };
    const answer = await fetch(url, { method: 'POST', headers, body, signal: AbortSignal.timeout(15000) });
    if (!answer.ok) throw new Error(`the hub answered ${answer.status}`);
}

const kebab = text => text.replace(/(?<=[a-z])(?=[A-Z])/g, '-').toLowerCase();
const text = value => (value === undefined || value === null ? null : String(value));

function pick(source, ...names) {
    return source ? Object.fromEntries(names.map(name => [name, source[name] ?? null])) : null;
}

const address = source => pick(
    source, 'fullName', 'company', 'streetLine1', 'streetLine2', 'city', 'province', 'postalCode', 'countryCode',
    'phoneNumber',
);

function shape(order) {
    return {
        id: text(order.id),
        ...pick(order, 'code', 'state', 'currencyCode', 'couponCodes'),
        orderPlacedAt: order.orderPlacedAt?.toISOString() ?? null,
        customer: order.customer && {
            id: text(order.customer.id),
            ...pick(order.customer, 'firstName', 'lastName', 'emailAddress', 'phoneNumber'),
        },
        shippingAddress: address(order.shippingAddress),
        billingAddress: address(order.billingAddress),
        lines: order.lines.filter(line => line.quantity > 0).sort((one, other) => one.id - other.id).map(line => ({
            id: text(line.id),
            ...pick(line, 'quantity', 'unitPrice', 'proratedUnitPrice', 'proratedLinePrice', 'proratedLinePriceWithTax',
                'taxRate'),
            productVariant: pick(line.productVariant, 'sku', 'name'),
        })),
        surcharges: (order.surcharges ?? []).map(each => pick(each, 'description', 'sku', 'price', 'priceWithTax', 'taxRate')),
        shippingLines: order.shippingLines.map(line => ({
            ...pick(line, 'discountedPrice', 'discountedPriceWithTax'),
            taxRate: line.taxRate ?? 0,
            shippingMethod: pick(line.shippingMethod, 'code', 'name'),
        })),
        taxSummary: order.taxSummary.map(row => pick(row, 'description', 'taxRate', 'taxBase', 'taxTotal')),
        ...pick(order, 'subTotal', 'subTotalWithTax', 'shipping', 'shippingWithTax', 'total', 'totalWithTax'),
        payments: (order.payments ?? []).map(each => ({
            id: text(each.id), ...pick(each, 'method', 'amount', 'state', 'transactionId'),
        })),
    };
}

module.exports = { HubWebhooks };
