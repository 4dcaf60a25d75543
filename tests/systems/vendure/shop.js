'use strict';
// The tests' shop: `node shop.js populate FILE` makes a shop with what initial-data.json and products.csv say and writes
// its database to FILE; `node shop.js serve FILE` opens a copy of that in memory. Settings come from the environment.
const fs = require('node:fs');
const path = require('node:path');
const core = require('@vendure/core');
const { populateInitialData, importProductsFromCsv } = require('@vendure/core/cli');
const { HubWebhooks } = require('./hub-webhooks.js');

const [command, file] = process.argv.slice(2);
const { SHOP_PORT, SHOP_PASSWORD, HUB_WEBHOOK_URL, HUB_WEBHOOK_SECRET } = process.env;
const data = name => path.join(__dirname, name);

// Tax once per rate over the whole order, as ERPs reckon it. By Vendure's default the tax of each unit is rounded, by its
// OrderLevelTaxCalculationStrategy that of the goods and that of the freight: both can be a cent off.
class TaxOncePerRate extends core.OrderLevelTaxCalculationStrategy {
    calculateOrderTotals(order) {
        const totals = super.calculateOrderTotals(order);
        const tax = this.calculateTaxSummary(order).reduce((sum, row) => sum + row.taxTotal, 0);
        return { ...totals, shippingWithTax: totals.subTotal + totals.shipping + tax - totals.subTotalWithTax };
    }

    calculateTaxSummary(order) {
        return super.calculateTaxSummary(order).map(row => ({
            ...row, taxTotal: Math.round((row.taxBase * row.taxRate) / 100),
        }));
    }

    accumulateIntoGroups(groups, taxLines, base) {
        const named = (taxLines ?? []).map(line => ({ ...line, description: `${line.taxRate} %` }));
        super.accumulateIntoGroups(groups, named, base);
    }
}

const config = {
    apiOptions: { hostname: '127.0.0.1', port: Number(SHOP_PORT), adminApiPath: 'admin-api', shopApiPath: 'shop-api' },
    authOptions: {
        tokenMethod: ['bearer', 'api-key'],
        requireVerification: false,
        superadminCredentials: { identifier: 'superadmin', password: SHOP_PASSWORD },
    },
    dbConnectionOptions: {
        type: 'sqljs', synchronize: command === 'populate', logging: false,
        ...(command === 'serve' ? { database: new Uint8Array(fs.readFileSync(file)) } : {}),
    },
    taxOptions: { orderTaxCalculationStrategy: new TaxOncePerRate() },
    paymentOptions: { paymentMethodHandlers: [core.dummyPaymentHandler] },
    logger: new core.DefaultLogger({ level: core.LogLevel.Warn }),
    plugins: [HubWebhooks.init(HUB_WEBHOOK_URL ? { url: HUB_WEBHOOK_URL, secret: HUB_WEBHOOK_SECRET } : undefined)],
};

async function populate() {
    const app = await core.bootstrap(config);
    const initial = JSON.parse(fs.readFileSync(data('initial-data.json'), 'utf-8'));
    await populateInitialData(app, initial);
    const ctx = await app.get(core.RequestContextService).create({ apiType: 'admin' });
    const channels = app.get(core.ChannelService);
    const { id } = await channels.getDefaultChannel();
    const euro = { defaultCurrencyCode: 'EUR', availableCurrencyCodes: ['EUR'], pricesIncludeTax: false };
    await channels.update(ctx, { id, ...euro });
    const imported = await importProductsFromCsv(app, data('products.csv'), initial.defaultLanguage);
    if (imported.errors?.length) throw new Error(imported.errors.join('\n'));
    const database = app.get(core.TransactionalConnection).rawConnection.driver.export();
    fs.writeFileSync(`${file}.part`, database);
    fs.renameSync(`${file}.part`, file);
    process.exit(0);
}

async function serve() {
    const app = await core.bootstrap(config);
    await app.get(core.JobQueueService).start();
    console.log('the shop is open');
}

(command === 'populate' ? populate() : serve()).catch(error => {
    console.error(error);
    process.exit(1);
});
