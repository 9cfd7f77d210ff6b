import { bootstrap } from '@atelier/service';
import { gatewayConfig } from './gateway.config.js';
import { GatewayModule, gatewayOptions } from './gateway.module.js';

await bootstrap(GatewayModule, gatewayConfig, gatewayOptions);
