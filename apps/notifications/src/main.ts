import { bootstrap } from '@atelier/service';
import { notificationsConfig } from './notifications.config.js';
import { NotificationsModule } from './notifications.module.js';

await bootstrap(NotificationsModule, notificationsConfig);
